"""How senders of webhooks prove who they are, as `config.yaml` states it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    WithJsonSchema,
)

from ductile.config.signed import BODY, ID, TIMESTAMP, SignedContent
from ductile.documents import suggest
from ductile.documents.problems import BadValue, Problem, described, quoted
from ductile.documents.validation import Schema
from ductile.documents.yaml import Document, Path
from ductile.model.json import Json

_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PUBLIC_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
_PREFIX: Final = re.compile(r"(?:[\x21-\x7e][\x20-\x7e]*)?")
_SCHEMES: Final = (
    *("hmac-sha256", "hmac-sha512", "github", "stripe", "slack", "standard-webhooks"),
    *("shopify", "gitlab", "discord", "none"),
)
_WHSEC: Final = "whsec_"
_WHPK: Final = "whpk_"
_ED25519_SIZE: Final = 32


def _header(text: str) -> str:
    if not _HEADER.fullmatch(text):
        raise BadValue(
            f"{quoted(text)} is not the name of an HTTP header",
            "write what the sender documents, X-Hub-Signature-256 for instance",
        )
    return text


def _signed(text: str) -> str:
    SignedContent.parse(text)
    return text


def _prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise BadValue(
            f"{quoted(text)} cannot begin the value of an HTTP header",
            'write what the sender puts before the hash, "v1=" for instance',
        )
    return text


def _secret(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value():
        raise BadValue(
            "the secret is empty, so that anybody could sign", "set the one that the sender uses"
        )
    return secret


def _decoded(text: str, prefix: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _base64(secret: SecretStr) -> SecretStr:
    text = _secret(secret).get_secret_value()
    if not _decoded(text, _WHSEC):
        raise BadValue(
            f"expected a secret in base64, with or without {quoted(_WHSEC)} before it, found "
            "something else",
            "copy it as the sender shows it",
        )
    return secret


def _public_key(text: str) -> str:
    if not _PUBLIC_KEY.fullmatch(text):
        raise BadValue(
            f"expected a public key of 64 hex digits, found {len(text)} characters",
            "copy it from the application's page in Discord's developer portal",
        )
    return text


def _base64_public_key(text: str) -> str:
    if len(_decoded(text, _WHPK)) != _ED25519_SIZE:
        # Not shown: it may be a private key, or a secret.
        raise BadValue(
            f"expected a public key of {_ED25519_SIZE} bytes in base64, with or without "
            f"{quoted(_WHPK)} before it, found something else",
            "copy it as the sender shows it; a text that begins with whsec_ is a secret",
        )
    return text


def _accepted(accepted: bool) -> bool:
    if not accepted:
        raise BadValue(
            'with the scheme "none" whoever reaches the port can start what it starts',
            "choose a scheme that the sender knows, or say that you want it: accept_unsigned: true",
        )
    return accepted


def _either(names: tuple[str, ...]) -> str:
    *most, last = map(quoted, names)
    return f"{', '.join(most)} or {last}"


def _known_scheme(value: Json) -> Json:
    """Before the scheme chooses the model, whose own words for a wrong one are no help."""
    if isinstance(value, dict):
        scheme = value.get("scheme")
        if scheme not in _SCHEMES:
            remedy = suggest.hint(scheme, _SCHEMES) if isinstance(scheme, str) else None
            raise BadValue(
                f"expected the signature's scheme to be {_either(_SCHEMES)}, "
                f"found {described(scheme)}",
                remedy,
            )
    return value


def _listed(value: Json) -> tuple[Json, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


#: A text, or a list of texts, is a tuple of texts.
_ONE_OR_MORE: Final = (
    Field(min_length=1),
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
)
Secret: TypeAlias = Annotated[SecretStr, AfterValidator(_secret)]
PublicKey: TypeAlias = Annotated[str, AfterValidator(_public_key)]
Base64Secret: TypeAlias = Annotated[SecretStr, AfterValidator(_base64)]
Base64PublicKey: TypeAlias = Annotated[str, AfterValidator(_base64_public_key)]
HeaderName: TypeAlias = Annotated[str, AfterValidator(_header)]


class SharedSecret(Schema):
    """A signature with what sender and gateway share."""

    noun: ClassVar[str] = "a signature"

    secret: Annotated[tuple[Secret, ...], *_ONE_OR_MORE]
    """What sender and gateway share; a list while the sender changes it, any of which counts."""

    @property
    def live(self) -> tuple[str, ...]:
        """Every secret that counts, the first one first."""
        return tuple(secret.get_secret_value() for secret in self.secret)


class HmacSignature(SharedSecret):
    """A keyed hash in one header, as many senders make it."""

    scheme: Literal["hmac-sha256", "hmac-sha512"]
    header: HeaderName | None = None
    """Holds the hash; `X-Signature-256` or `X-Signature-512` if left out."""
    signed: Annotated[str, AfterValidator(_signed)] = BODY
    """What is hashed: a text in which `{body}`, `{timestamp}` and `{id}` stand for theirs."""
    encoding: Literal["hex", "base64"] = "hex"
    """How the hash is written."""
    prefix: Annotated[str, AfterValidator(_prefix)] | None = None
    """What stands before it; if left out, nothing, or `sha256=` (`sha512=`)."""
    timestamp_header: HeaderName | None = None
    """Holds the time that is `{timestamp}`, in seconds since 1970."""
    id_header: HeaderName | None = None
    """Holds the id of the delivery, which need not be signed; `{id}`, if it is."""


class SenderSignature(SharedSecret):
    """As the sender of that name signs, or shows its token."""

    scheme: Literal["github", "stripe", "slack", "shopify", "gitlab"]


class StandardSignature(SharedSecret):
    """Standard Webhooks: `v1` with a secret, `v1a` with a public key; one of them, or both."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["secret"]}, {"required": ["public_key"]}]}
    )

    scheme: Literal["standard-webhooks"]
    secret: Annotated[tuple[Base64Secret, ...], *_ONE_OR_MORE] = Field(default_factory=tuple)
    """In base64, with or without `whsec_` before it; a list while the sender changes it."""
    public_key: Annotated[tuple[Base64PublicKey, ...], *_ONE_OR_MORE] = Field(default_factory=tuple)
    """In base64, with or without `whpk_` before it; or a list."""


class DiscordSignature(Schema):
    """Ed25519 as Discord's interactions endpoint signs."""

    noun: ClassVar[str] = "a signature"

    scheme: Literal["discord"]
    public_key: Annotated[tuple[PublicKey, ...], *_ONE_OR_MORE]
    """64 hex digits, from the application's page in Discord's developer portal; or a list."""

    @property
    def live(self) -> tuple[str, ...]:
        """Every public key that counts."""
        return self.public_key


class NoSignature(Schema):
    """None: programs on this machine may send what they like."""

    model_config = ConfigDict(json_schema_extra={"required": ["scheme", "accept_unsigned"]})

    noun: ClassVar[str] = "a signature"

    scheme: Literal["none"]
    accept_unsigned: Annotated[
        bool,
        AfterValidator(_accepted),
        Field(validate_default=True),
        WithJsonSchema({"type": "boolean", "const": True}),
    ] = False
    """Must be `true`, so that nobody is without signatures by mistake."""


Signature: TypeAlias = Annotated[
    HmacSignature | SenderSignature | StandardSignature | DiscordSignature | NoSignature,
    Field(discriminator="scheme"),
    BeforeValidator(_known_scheme),
]


def contradictions(document: Document, at: Path) -> Iterator[Problem]:
    """What is wrong between values of the signature at `at` that may be right by themselves."""
    signature = document.get(at)
    if not isinstance(signature, dict):
        return
    scheme = signature.get("scheme")
    if scheme in ("hmac-sha256", "hmac-sha512"):
        yield from _headers_and_placeholders(document, at, signature)
    if scheme == "standard-webhooks" and not {"secret", "public_key"} & signature.keys():
        message = 'missing key "secret" or "public_key" in a signature'
        hint = 'add "secret: …" for signatures that begin with v1, "public_key: …" for v1a'
        yield Problem(message, document.place(at), hint)


def _headers_and_placeholders(
    document: Document, at: Path, signature: dict[str, Json]
) -> Iterator[Problem]:
    text = signature.get("signed", BODY)
    try:
        signed = SignedContent.parse(text) if isinstance(text, str) else None
    except BadValue:
        signed = None
    if signed is None:
        return
    for key, placeholder in (("timestamp_header", TIMESTAMP), ("id_header", ID)):
        if placeholder in signed and signature.get(key) is None:
            message = f"{quoted(placeholder)} is signed, but no {key} says where it is"
            hint = f'add "{key}: …" with the name of the header'
            yield Problem(message, document.place((*at, "signed")), hint)
    if signature.get("timestamp_header") is not None and TIMESTAMP not in signed:
        message = f"timestamp_header is set, but {quoted(TIMESTAMP)} is not part of what is signed"
        hint = f"anybody can change a time that is not signed: add {quoted(TIMESTAMP)} to signed, "
        hint += "as the sender has it, or leave timestamp_header out"
        yield Problem(message, document.key_place((*at, "timestamp_header")), hint)
