"""From a genuine body to its payload: JSON, and forms from those who send forms."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

from ductile.http.exchange import Rejection
from ductile.http.interfaces import Headers
from ductile.model.json import Json, decode

#: Raises Rejection 400.
ReadBody: TypeAlias = Callable[[Headers, bytes], Json]

_FORM: Final = b"application/x-www-form-urlencoded"
#: Printable, without space and quote. So no body is both a form and JSON: a form has a `=`, and
#: JSON can have one only in a text, hence with a quote. Content-Type is never signed; whoever
#: changes it on its way gets a 400, and no other payload.
_FIELDS: Final = re.compile(rb"[!#-~]+")
_MOST_FIELDS: Final = 1000


def json_body(headers: Headers, body: bytes) -> Json:
    """One JSON document, whatever Content-Type says."""
    return _decoded(body, "a body of one JSON document", "the body is not JSON")


def json_or_form(headers: Headers, body: bytes) -> Json:
    """What Slack sends: JSON, a form whose one field `payload` is JSON, or a form of texts.

    It is a form if Content-Type says so, and one JSON document otherwise.
    """
    if not _says_form(headers):
        return json_body(headers, body)
    fields = _fields(body)
    return _payload(fields) if fields.keys() == {"payload"} else fields


def json_or_payload(headers: Headers, body: bytes) -> Json:
    """What GitHub sends: JSON, or a form whose one field `payload` is JSON."""
    if not _says_form(headers):
        return json_body(headers, body)
    fields = _fields(body)
    if fields.keys() != {"payload"}:
        raise _refused('a form with one field, "payload"', "the form has other fields")
    return _payload(fields)


def _says_form(headers: Headers) -> bool:
    types = [value for key, value in headers if key == b"content-type"]
    if len(types) > 1:
        raise _refused("one Content-Type", f"Content-Type is there {len(types)} times")
    return any(each.partition(b";")[0].strip(b" \t").lower() == _FORM for each in types)


def _fields(body: bytes) -> dict[str, str]:
    try:
        if not _FIELDS.fullmatch(body):
            raise ValueError
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        # Its own words would quote the body.
        raise _refused("a form, as Content-Type says", "the body is not a form") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _refused("a form with each field once", "the form has a field twice")
    return fields


def _payload(fields: Mapping[str, str]) -> Json:
    text = fields["payload"].encode("utf-8")
    return _decoded(text, 'one JSON document in "payload"', "payload is not JSON")


def _decoded(data: bytes, expected: str, reason: str) -> Json:
    try:
        return decode(data)
    except ValueError as error:
        raise _refused(expected, f"{reason}: {error}") from None


def _refused(expected: str, reason: str) -> Rejection:
    return Rejection(400, f"expected {expected}; nothing was accepted", reason=reason)
