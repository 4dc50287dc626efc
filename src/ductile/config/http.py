"""The doors on the network as `config.yaml` states them."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, ClassVar, Final

from pydantic import AfterValidator, SecretStr

from ductile.config.values import Listen, split_listen
from ductile.documents.problems import BadValue, Problem, quoted
from ductile.documents.validation import Schema
from ductile.documents.yaml import Document

#: Characters; what people make up themselves is rarely as long.
SHORTEST_TOKEN: Final = 16
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_TOKEN_HINT: Final = 'make one with "openssl rand -hex 32"'
_LISTEN: Final = ("http", "listen")


def _token(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if len(text) < SHORTEST_TOKEN:
        raise BadValue(
            f"expected a token of {SHORTEST_TOKEN} characters or more, found {len(text)}",
            _TOKEN_HINT,
        )
    if not _TOKEN.fullmatch(text):
        raise BadValue(
            "a token has characters that no HTTP header can carry, a space for instance",
            _TOKEN_HINT,
        )
    return secret


class HttpSettings(Schema):
    """The door on the network."""

    noun: ClassVar[str] = "http"

    listen: Listen = "127.0.0.1:8080"
    """Address and port, an IPv6 address in brackets; port 0 takes any that is free."""
    tokens: tuple[Annotated[SecretStr, AfterValidator(_token)], ...] = ()
    """What clients of the API may identify themselves with. Without any, the API is open, and
    the gateway listens on loopback only."""

    @property
    def host(self) -> str:
        """The address, without brackets."""
        return split_listen(self.listen)[0]

    @property
    def port(self) -> int:
        """The port, 0 for any."""
        return split_listen(self.listen)[1]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`: 127.0.0.0/8, ::1 and `localhost`."""
    if host.casefold() == "localhost":
        return True
    try:
        address: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback


def open_to_network(document: Document) -> str | None:
    """Where the gateway listens, as it is written, if others than this machine reach it."""
    listen = document.get(_LISTEN)
    if not isinstance(listen, str):
        return None
    try:
        host, _ = split_listen(listen)
    except BadValue:
        return None
    return None if is_loopback(host) else listen


def contradictions(document: Document) -> list[Problem]:
    """Whether the API would stand open to the network; by what is written, like the others."""
    listen = open_to_network(document)
    if listen is None or document.get(("http", "tokens")):
        return []
    message = f"{quoted(listen)} is open to the network, and the API asks for no token"
    hint = 'set http.tokens, ["${API_TOKEN}"] for instance, or listen on 127.0.0.1'
    return [Problem(message, document.place(_LISTEN), hint)]
