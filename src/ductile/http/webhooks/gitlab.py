"""The `gitlab` scheme: a token that both sides know, in a header."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from ductile.http.interfaces import Headers
from ductile.http.webhooks.keyed import Secrets
from ductile.http.webhooks.signature import Verdict, header_id, only
from ductile.model.json import Json

_TOKEN_HEADER: Final = b"x-gitlab-token"
#: The first stays the same when GitLab tries again, older versions have only the second.
_ID_HEADERS: Final = (b"idempotency-key", b"x-gitlab-event-uuid")


class GitLab:
    """Compares `X-Gitlab-Token`. It proves who sent, not what: the body is not signed."""

    name: Final = "gitlab"

    def __init__(self, *secrets: str) -> None:
        """Each secret is a token as the webhook's settings have it."""
        self._tokens = [secret.encode("utf-8") for secret in secrets]
        self._secrets = Secrets(self._tokens)

    def verify(self, headers: Headers, body: bytes) -> Verdict:
        """Compare in constant time."""
        token = only(headers, _TOKEN_HEADER)
        if token is None:
            return Verdict.MISSING
        return Verdict.GENUINE if self._secrets.holds(token) else Verdict.WRONG

    def sign(self, body: bytes, *, delivery_id: str, now: datetime | None = None) -> Headers:
        """Knows no time: `now` is of no consequence."""
        token = (_TOKEN_HEADER, self._tokens[0])
        return [token, *((name, delivery_id.encode("ascii")) for name in _ID_HEADERS)]

    def delivery_id(self, headers: Headers, payload: Json) -> str | None:
        """From a header; nothing of GitLab's is signed."""
        return next(filter(None, (header_id(headers, name) for name in _ID_HEADERS)), None)
