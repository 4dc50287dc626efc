"""Keyed hashes with more than one live secret."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence

from ductile.errors import ConfigurationError


class Secrets:
    """What sender and gateway share: one secret, or several while the sender changes it."""

    def __init__(self, secrets: Iterable[bytes], *, digest: str = "sha256") -> None:
        """Raises ConfigurationError if there is none, or an empty one."""
        self._secrets: Sequence[bytes] = tuple(secrets)
        self._digest = digest
        if not self._secrets or not all(self._secrets):
            found = "an empty one" if self._secrets else "none"
            raise ConfigurationError(
                f"expected the secret that signs, found {found}; anybody could sign with it, so "
                "set the one that the sender uses"
            )

    def hash(self, content: bytes) -> bytes:
        """The hash that the first secret makes."""
        return hmac.digest(self._secrets[0], content, self._digest)

    def made(self, content: bytes, given: Sequence[bytes]) -> bool:
        """Whether one of the hashes was made of `content` with one of the secrets.

        Takes as long for a wrong one as for a right one, whichever secret it is.
        """
        hashes = [hmac.digest(secret, content, self._digest) for secret in self._secrets]
        # A list, not a generator: any() would stop at the first that is right.
        return any([hmac.compare_digest(one, other) for other in given for one in hashes])

    def holds(self, given: bytes) -> bool:
        """Whether `given` is one of the secrets; the time tells neither which nor how long."""
        hashes = [hmac.digest(b"compare", secret, "sha256") for secret in self._secrets]
        other = hmac.digest(b"compare", given, "sha256")
        return any([hmac.compare_digest(one, other) for one in hashes])
