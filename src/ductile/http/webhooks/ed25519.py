"""Signatures that a public key verifies, with more than one live key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def public_key(raw: bytes) -> Ed25519PublicKey:
    """The key of these 32 bytes. Raises ValueError for any other number."""
    # Not before an endpoint needs it: it takes 7 MB, and most senders sign with a keyed hash.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(raw)


def signed_with(keys: Sequence[Ed25519PublicKey], content: bytes, given: Sequence[bytes]) -> bool:
    """Whether one of the signatures is that of `content` by one of the keys."""
    return any(_made(key, signature, content) for signature in given for key in keys)


def _made(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True
