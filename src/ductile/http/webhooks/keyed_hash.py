"""The schemes `hmac-sha256`, `hmac-sha512` and `github`: a keyed hash in one header."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias

from ductile.config.signed import BODY, ID, TIMESTAMP, SignedContent
from ductile.errors import ConfigurationError, UsageError
from ductile.http.interfaces import Headers
from ductile.http.webhooks.keyed import Secrets
from ductile.http.webhooks.signature import Verdict, header_id, in_window, only
from ductile.model.clock import Clock, SystemClock
from ductile.model.json import Json

Digest: TypeAlias = Literal["sha256", "sha512"]

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: Without zeros before it: a time that is near enough has so many digits and no others.
_TIMESTAMP: Final = re.compile(rb"[1-9][0-9]{0,11}")
_JUST_THE_BODY: Final = SignedContent.parse(BODY)
_SIZES: Final = {"sha256": 32, "sha512": 64}


@dataclass(frozen=True, slots=True)
class HashForm:
    """Of what one sender makes its hash, and where and how it writes it."""

    header: str
    digest: Digest = "sha256"
    signed: SignedContent = _JUST_THE_BODY
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str | None = None
    """What stands before the hash; None: nothing, or the digest's name and `=`."""
    timestamp_header: str | None = None
    id_header: str | None = None

    def __post_init__(self) -> None:
        for each in (self.header, self.timestamp_header, self.id_header):
            if each is not None and not _HEADER_NAME.fullmatch(each):
                raise ConfigurationError(
                    f'expected the name of an HTTP header, found "{each}"; write what the sender '
                    "documents, X-Hub-Signature-256 for instance"
                )
        for placeholder, header in ((TIMESTAMP, self.timestamp_header), (ID, self.id_header)):
            if placeholder in self.signed and header is None:
                raise ConfigurationError(
                    f'"{placeholder}" is signed, but no header for it is set; name the header '
                    "that holds it"
                )

    def read(self, value: bytes) -> bytes | None:
        """The hash in the value of the header; None if it has another form."""
        if self.prefix is None:
            usual = f"{self.digest}=".encode("ascii")
            digits = value[len(usual) :] if value[: len(usual)].lower() == usual else value
        else:
            prefix = self.prefix.encode("ascii")
            if not value.startswith(prefix):
                return None
            digits = value.removeprefix(prefix)
        try:
            # Unlike bytes.fromhex, both refuse spaces and whatever else is no digit.
            found = (
                base64.b64decode(digits, validate=True)
                if self.encoding == "base64"
                else binascii.unhexlify(digits)
            )
        except ValueError:
            return None
        return found if len(found) == _SIZES[self.digest] else None

    def write(self, made: bytes) -> bytes:
        """The value of the header for a hash."""
        prefix = f"{self.digest}=" if self.prefix is None else self.prefix
        written = made.hex() if self.encoding == "hex" else base64.b64encode(made).decode("ascii")
        return f"{prefix}{written}".encode("ascii")


class KeyedHash:
    """Verifies an HMAC of the body, and of the time and the delivery's id where they are signed.

    A time that is signed may be `WINDOW` seconds off. An id that is not can be changed by who
    has overheard a genuine request, and that is what `github` and most senders have.
    """

    def __init__(
        self,
        form: HashForm,
        *secrets: str,
        name: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Raises ConfigurationError for an empty secret; `clock` is only needed for a time."""
        self.name: Final = name or f"hmac-{form.digest}"
        self._form = form
        self._header = _key(form.header)
        self._timestamp_header = form.timestamp_header and _key(form.timestamp_header)
        self._id_header = form.id_header and _key(form.id_header)
        self._outside_id = frozenset(form.signed.outside_id())
        self._secrets = Secrets((secret.encode("utf-8") for secret in secrets), digest=form.digest)
        self._clock = clock or SystemClock()

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """Judge signature first and time second, so that STALE is only said of the sender's own."""
        value = only(headers, self._header)
        values = self._values(headers, body)
        if value is None or values is None:
            return Verdict.MISSING
        given = self._form.read(value)
        if given is None or not self._well_formed(values):
            return Verdict.MALFORMED
        if not self._secrets.made(self._form.signed.filled(values), [given]):
            return Verdict.WRONG
        if TIMESTAMP in values and not in_window(values[TIMESTAMP], self._clock.now()):
            return Verdict.STALE
        return Verdict.GENUINE

    def sign(self, body: bytes, *, delivery_id: str, now: datetime | None = None) -> Headers:
        """Raises UsageError for an id that could not be told apart from what is around it."""
        values = {BODY: body, ID: delivery_id.encode("ascii")}
        headers: list[tuple[bytes, bytes]] = []
        if self._timestamp_header:
            values[TIMESTAMP] = b"%d" % int((now or self._clock.now()).timestamp())
            headers.append((self._timestamp_header, values[TIMESTAMP]))
        if self._id_header:
            headers.append((self._id_header, values[ID]))
        if ID in self._form.signed and not self._well_formed(values):
            raise UsageError(
                f'expected an id without any of "{bytes(self._outside_id).decode("latin-1")}", '
                f'found "{delivery_id}"; what stands next to it in what is signed cannot be in it'
            )
        made = self._secrets.hash(self._form.signed.filled(values))
        return [(self._header, self._form.write(made)), *headers]

    def delivery_id(self, headers: Headers, payload: Json) -> str | None:
        """Of the header that was set for it; None if none was."""
        return header_id(headers, self._id_header) if self._id_header else None

    def _values(self, headers: Headers, body: bytes) -> dict[str, bytes] | None:
        """What the placeholders stand for; None if a header for one of them is missing."""
        values = {BODY: body}
        for placeholder, header in ((TIMESTAMP, self._timestamp_header), (ID, self._id_header)):
            if placeholder in self._form.signed:
                value = only(headers, header) if header else None
                if value is None:
                    return None
                values[placeholder] = value
        return values

    def _well_formed(self, values: dict[str, bytes]) -> bool:
        timestamp, identity = values.get(TIMESTAMP), values.get(ID)
        if timestamp is not None and not _TIMESTAMP.fullmatch(timestamp):
            return False
        return identity is None or (bool(identity) and self._outside_id.isdisjoint(identity))


def hmac_sha256(header: str, *secrets: str) -> KeyedHash:
    """The hash of the body alone, in hex."""
    return KeyedHash(HashForm(header), *secrets)


def github(*secrets: str) -> KeyedHash:
    """The `github` scheme."""
    form = HashForm("X-Hub-Signature-256", prefix="sha256=", id_header="X-GitHub-Delivery")
    return KeyedHash(form, *secrets, name="github")


def _key(name: str) -> bytes:
    return name.lower().encode("ascii")
