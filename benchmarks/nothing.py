"""A server that answers 202 to everything, over the same library: the control of the door.

usage: nothing.py PORT CORE
"""

from __future__ import annotations

import os
import sys
from typing import Any

import uvicorn

BODY = b"{}"


async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Read the request and answer it."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[2])})
    uvicorn.run(
        answer,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="asyncio",
        http="httptools",
        lifespan="off",
        log_level="critical",
        access_log=False,
    )
