"""Signatures that a public key verifies, with more than one live key."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def signed_with(keys: Sequence[Ed25519PublicKey], content: bytes, given: Sequence[bytes]) -> bool:
    """Whether one of the signatures is that of `content` by one of the keys."""
    return any(_made(key, signature, content) for signature in given for key in keys)


def _made(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True
