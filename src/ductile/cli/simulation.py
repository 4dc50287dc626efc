"""A delivery as a sender would make it, sent to the gateway of this machine."""

from __future__ import annotations

import http.client
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ductile.config.endpoints import EndpointSettings
from ductile.config.http import HttpSettings
from ductile.errors import DuctileError, UsageError
from ductile.http.webhooks.build import build_scheme
from ductile.model.clock import Clock
from ductile.model.ids import new_id

#: Seconds for the answer; a gateway that is well gives it in milliseconds.
PATIENCE: Final = 35.0

_HEADER: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\t]*)")
#: Of the schemes whose sender holds the private half of a key that anybody may know.
_WITH_KEY_PAIR: Final = ("discord", "standard-webhooks")


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the user wants to have sent."""

    body: Path
    headers: Sequence[str] = ()
    """`NAME: VALUE` each."""
    delivery_id: str | None = None
    signing_key: Path | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway said."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: str

    @property
    def good(self) -> bool:
        """Whether a sender would take the delivery for done."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The answer as a person reads it."""
        head = f"{self.status} {self.reason}"
        own = [f"{name}: {text}" for name, text in self.headers.items() if _tells(name)]
        try:
            body = json.dumps(json.loads(self.body), indent=2, ensure_ascii=False)
        except ValueError:
            body = self.body
        return "\n".join(filter(None, (head, *own, body)))


def simulated(
    endpoint: EndpointSettings, doors: HttpSettings, simulation: Simulation, clock: Clock
) -> Answer:
    """Sign and send it; returns the gateway's answer.

    Raises UsageError for what cannot be read, signed or sent, and DuctileError if no gateway
    answers where `doors` say.
    """
    key = None if simulation.signing_key is None else _private_key(endpoint, simulation.signing_key)
    given = [_header(text) for text in simulation.headers]
    identity = simulation.delivery_id or f"simulated-{new_id()}"
    if not (identity.isascii() and identity.isprintable()):
        raise UsageError("--delivery-id: expected printable ASCII, as headers carry it")
    body = _read(simulation.body)
    signed = build_scheme(endpoint, clock, private_key=key).sign(body, delivery_id=identity)
    headers = {"content-type": "application/json"}
    headers |= {name.decode("latin-1"): text.decode("latin-1") for name, text in signed}
    headers |= {name.lower(): text for name, text in given}
    said = endpoint.says_event
    if said is not None and said.lower() not in headers:
        raise UsageError(
            f"endpoint {json.dumps(endpoint.name)} has the type of its events from {said}; say "
            f"what has happened, with --header '{said}: push' for instance"
        )
    return _send(_place(doors), f"/webhooks/{endpoint.name}", body, headers)


def _place(doors: HttpSettings) -> tuple[str, int]:
    """Where this machine reaches the gateway."""
    if doors.port == 0:
        raise UsageError(
            "http.listen takes any free port, which is another one at each start; give it a port "
            "of its own in config.yaml, and start the gateway again"
        )
    try:
        address = ip_address(doors.host)
    except ValueError:
        return doors.host, doors.port
    if address.is_unspecified:
        return ("127.0.0.1" if address.version == 4 else "::1"), doors.port
    return doors.host, doors.port


def _send(place: tuple[str, int], path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    connection = http.client.HTTPConnection(*place, timeout=PATIENCE)
    try:
        connection.request("POST", path, body, dict(headers))
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        raise DuctileError(
            f"no gateway answers on {place[0]} port {place[1]}, where http.listen says: {error}; "
            'start it with "ductile serve"'
        ) from error
    finally:
        connection.close()
    found = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, response.reason, found, text)


def _tells(header: str) -> bool:
    return header.startswith("x-ductile-") or header in ("retry-after", "location")


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UsageError(f'"{file}" cannot be read: {error.strerror}') from error


def _header(text: str) -> tuple[str, str]:
    found = _HEADER.fullmatch(text)
    if found is None:
        raise UsageError(
            f"--header: expected NAME: VALUE in printable ASCII, found {json.dumps(text)}; "
            "write 'X-GitHub-Event: push' for instance"
        )
    return found[1], found[2]


def _private_key(endpoint: EndpointSettings, file: Path) -> Ed25519PrivateKey:
    scheme = endpoint.signature.scheme
    if scheme not in _WITH_KEY_PAIR:
        raise UsageError(
            f"--signing-key: the scheme {scheme} of endpoint {json.dumps(endpoint.name)} signs "
            "with its secret, which config.yaml has; leave the option out"
        )
    try:
        key = load_pem_private_key(_read(file), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(
            "--signing-key: expected an Ed25519 private key in PEM, without a password, in "
            f'"{file}", found something else; make one with "openssl genpkey -algorithm ed25519"'
        )
    return key
