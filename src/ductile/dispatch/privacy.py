"""Privacy: no secret and no absolute path of a workspace gets into a table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from ductile.errors import Refused
from ductile.model.json import Json, encode

_SECRET: Final = "[secret]"
_WORKSPACE: Final = "[workspace]"
_WORKSPACES: Final = "[workspaces]"


class Privacy:
    """Knows what must not be written down: configured secrets, and where workspaces are."""

    def __init__(self, secrets: Collection[str], workspaces: Path) -> None:
        self._secrets: Sequence[str] = ()
        self.learn(secrets)
        # A plugin that asks where it is gets the name without symlinks.
        self._roots = sorted({str(workspaces), str(workspaces.resolve())}, key=len, reverse=True)
        self._encoded_roots = tuple(
            encode(root)[1:-1] + end for root in self._roots for end in (b"/", b'"')
        )

    def learn(self, secrets: Collection[str]) -> None:
        """Keep these private too, from now on."""
        # Longest first: of a secret that begins with another one, the end must not stay.
        known = sorted({*self._secrets, *filter(None, secrets)}, key=len, reverse=True)
        self._encoded_secrets = tuple(encode(secret)[1:-1] for secret in known)
        self._secrets = known

    def redact(self, text: str, directory: Path | None = None) -> str:
        """`text` for the job's log: secrets and places of workspaces replaced by a word.

        `directory` is the job's own.
        """
        for secret in self._secrets:
            text = text.replace(secret, _SECRET)
        for root in self._roots:
            if directory is not None:
                text = text.replace(f"{root}/{directory.name}", _WORKSPACE)
            text = text.replace(root, _WORKSPACES)
        return text

    def check(self, what: str, value: Json) -> None:
        """Raise Refused if `value`, named `what`, holds something that must not be kept."""
        encoded = encode(value)
        if any(secret in encoded for secret in self._encoded_secrets):
            raise Refused(
                f"{what} holds the value of a configured secret, which no table may hold; "
                "leave it out of the answer"
            )
        if any(root in encoded for root in self._encoded_roots):
            raise Refused(
                f"{what} holds the absolute path of a workspace, which is another one for the "
                "next job; give the path relative to the workspace"
            )
