"""Privacy: no secret and no absolute path of a workspace gets into a table."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from ductile.errors import Refused
from ductile.model.json import Json, encode

_SECRET: Final = "[secret]"
_WORKSPACE: Final = "[workspace]"


class Privacy:
    """Knows what must not be written down: configured secrets, and where workspaces are."""

    def __init__(self, secrets: Collection[str], workspaces: Path) -> None:
        self._secrets = tuple(secret for secret in secrets if secret)
        self._encoded_secrets = tuple(encode(secret)[1:-1] for secret in self._secrets)
        self._root = str(workspaces)
        self._encoded_root = encode(self._root + "/")[1:-1]

    def redact(self, text: str, directory: Path | None = None) -> str:
        """`text` for the job's log: secrets and the job's own directory replaced by a word."""
        for secret in self._secrets:
            text = text.replace(secret, _SECRET)
        return text if directory is None else text.replace(str(directory), _WORKSPACE)

    def check(self, what: str, value: Json) -> None:
        """Raise Refused if `value`, named `what`, holds something that must not be kept."""
        encoded = encode(value)
        if any(secret in encoded for secret in self._encoded_secrets):
            raise Refused(
                f"{what} holds the value of a configured secret, which no table may hold; "
                "leave it out of the answer"
            )
        if self._encoded_root in encoded:
            raise Refused(
                f"{what} holds the absolute path of a workspace, which is another one for the "
                "next job; give the path relative to the workspace"
            )
