"""Shell scripts that plugins of tests are made of."""

from __future__ import annotations

import json
import shlex
from typing import Any, Final

#: Keeps the request as a file of the workspace, in place of one that was inherited.
KEEP_REQUEST: Final = "cat >.request && mv .request request.json\n"
#: Answers ok, and no more.
OK: Final = 'cat >/dev/null\necho \'{"status":"ok"}\'\n'


def answer(**fields: Any) -> str:
    """Prints an answer; of status ok unless told otherwise."""
    return f"printf '%s' {shlex.quote(json.dumps({'status': 'ok', **fields}))}\n"


def updates(**baggage: Any) -> str:
    """Prints an answer that adds to the baggage."""
    return answer(state_updates=baggage)


def emits(*events: tuple[str, dict[str, Any]]) -> str:
    """Prints an answer with these events."""
    return answer(events=[{"type": kind, "payload": payload} for kind, payload in events])


def fails(error: str = "it failed on purpose", **fields: Any) -> str:
    """Prints an answer of status error."""
    return answer(status="error", error=error, **fields)
