"""Answers of the API: JSON, and errors as `{"error": …}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from ductile.documents.problems import BadValue
from ductile.errors import DuctileError, NotFound, Refused, UsageError
from ductile.http.exchange import JSON, Rejection
from ductile.model.json import Json, encode


def answer(value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON document."""
    return Response(encode(value), status, headers, JSON)


def handle_errors(app: FastAPI) -> None:
    """Let `app` answer every error like the other doors."""
    app.add_exception_handler(DuctileError, _explained)
    app.add_exception_handler(Rejection, _rejected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _unrouted)
    app.add_exception_handler(Exception, _broken)


async def _explained(request: Request, error: Exception) -> Response:
    match error:
        case NotFound():
            return answer({"error": str(error)}, 404)
        case UsageError():
            return answer({"error": str(error)}, 400)
        case Refused():
            return answer({"error": f"the event was not accepted: {error}"}, 422)
    # Which may name files of this machine; the application above tells the operator.
    raise error


async def _broken(request: Request, error: Exception) -> Response:
    # Raised again by FastAPI once this is sent.
    return answer({"error": "something went wrong inside the gateway"}, 500)


async def _rejected(request: Request, error: Exception) -> Response:
    assert isinstance(error, Rejection)
    headers = {name.decode("ascii"): value.decode("ascii") for name, value in error.headers}
    return answer({"error": str(error)}, error.status, headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer({"error": "; ".join(_words(each) for each in error.errors())}, 400)


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        text = "there is nothing here; GET /api/v1/openapi.json tells what there is"
    elif error.status_code == 405:
        text = f"{request.method} is not possible here"
    else:
        text = str(error.detail)
    return answer({"error": text}, error.status_code, error.headers)


def _words(error: Json) -> str:
    """One of pydantic's errors in our words."""
    where, *path = error["loc"]
    name = ".".join(str(part) for part in path)
    if error["type"] == "extra_forbidden":
        return f'unknown {_PLACES[where]} "{name}"'
    if error["type"] == "missing":
        return f'missing {_PLACES[where]} "{name}"'
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, BadValue):
        text = f"{cause}; {cause.hint}" if cause.hint else str(cause)
    else:
        text = f"{error['msg'][:1].lower()}{error['msg'][1:]}"
    return f'{_PLACES[where]} "{name}": {text}' if name else text


_PLACES: Final = {"query": "parameter", "path": "part of the path", "body": "key"}
