"""What can be wrong with an expression: how it is written, or what it is evaluated on."""

from __future__ import annotations

from ductile.errors import DuctileError


class ExpressionError(ValueError):
    """An expression is written wrongly.

    The text says what was expected and what was found; `hint` says what to write instead.
    """

    def __init__(
        self,
        message: str,
        hint: str | None = None,
        at: tuple[str | int, ...] = (),
        *,
        at_key: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.at = at
        """The part of the written value that is meant, if not the whole."""
        self.at_key = at_key
        """Whether the key that `at` ends with is meant, and not the value under it."""

    def under(self, at: tuple[str | int, ...]) -> ExpressionError:
        """The same error, seen from a value that holds this one at `at`."""
        return ExpressionError(self.message, self.hint, (*at, *self.at), at_key=self.at_key)


class MissingPath(DuctileError):
    """A path leads nowhere in what there is."""

    def __init__(self, path: str, stop: str, *, expected: str, found: str) -> None:
        super().__init__(f'{path}: expected {expected} at "{stop}", found {found}')
        self.path = path
        """The whole path."""
        self.stop = stop
        """How far it leads."""
        self.found = found
        """What is there, in words."""
