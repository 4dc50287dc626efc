"""Paths: the dotted name of one place in what an expression can see."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from ductile.expressions.errors import ExpressionError, MissingPath
from ductile.expressions.words import did_you_mean, kind, quoted, several
from ductile.model.json import Json, decode, encode

#: What a path can begin with, all in all; where it stands, fewer of them may be allowed.
ROOTS: Final = frozenset(("payload", "context", "config", "run", "failure"))

_BARE = re.compile(r"[^\s\x00-\x1f\x7f\ud800-\udfff.\[\]{}|?\"\\]+")
_QUOTED = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Path:
    """The name of one place: a root, and keys that lead from there.

    A path is a root and any number of keys, each behind a dot. A key is bare or quoted: bare,
    it is one or more characters other than `.`, `[`, `]`, `{`, `}`, `|`, `?`, `"`, a backslash,
    white space and control characters; quoted, it is any text, written as a JSON string:
    `payload."a.b"`. Against a list, digits are the number of an element, counted from 0.
    """

    root: str
    keys: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, roots: Collection[str] = ROOTS) -> Path:
        """The path that the whole of `text` states; raises ExpressionError."""
        path, end = cls.scan(text, 0, roots)
        if end < len(text):
            raise ExpressionError(
                f"expected a dot or the end of the path behind {quoted(text[:end])}, "
                f"found {quoted(text[end:])}",
                _remedy(text[end:]),
            )
        return path

    @classmethod
    def scan(cls, text: str, start: int, roots: Collection[str] = ROOTS) -> tuple[Path, int]:
        """The longest path in `text` from `start` on, and where it ends; raises ExpressionError."""
        match = _BARE.match(text, start)
        if match is None:
            found = quoted(text[start:]) if text[start:] else "nothing"
            hint = "write the path without braces" if text[start : start + 1] == "{" else None
            raise ExpressionError(f"expected a path, found {found}", hint or _example(roots))
        root, end = match.group(), match.end()
        if root not in roots:
            expected = " or ".join(quoted(each) for each in sorted(roots))
            raise ExpressionError(
                f"expected a path that begins with {expected}, found {quoted(root)}",
                did_you_mean(root, roots) or _example(roots),
            )
        keys: list[str] = []
        while text.startswith(".", end):
            key, end = _key(text, end + 1)
            keys.append(key)
        return cls(root, tuple(keys)), end

    def resolve(self, scope: Mapping[str, Json]) -> Json:
        """The value at this place; raises MissingPath if there is none.

        The value is part of the scope, not a copy.
        """
        value: Json = scope
        for done, key in enumerate((self.root, *self.keys)):
            if isinstance(value, Mapping) and key in value:
                value = value[key]
            elif isinstance(value, list) and _INDEX.fullmatch(key) and int(key) < len(value):
                value = value[int(key)]
            else:
                raise self._missing(done, value)
        return value

    def exists(self, scope: Mapping[str, Json]) -> bool:
        """Whether there is a value at this place; null is one."""
        try:
            self.resolve(scope)
        except MissingPath:
            return False
        return True

    def __str__(self) -> str:
        """The one way to write this path: keys are quoted only where they must be."""
        return ".".join((self.root, *map(_written, self.keys)))

    def _missing(self, done: int, value: Json) -> MissingPath:
        """What to say when only the first `done` parts of the path lead somewhere, to `value`."""
        if done == 0:
            found = several([quoted(each) for each in value], "nothing")
            return MissingPath(str(self), self.root, expected="a value", found=f"only {found}")
        key = self.keys[done - 1]
        expected, found = "an object", kind(value)
        if isinstance(value, Mapping):
            expected = f"an object with the key {quoted(key)}"
            found = f"the keys {several([quoted(each) for each in value], '')}"
            found = found if value else "an empty object"
        elif isinstance(value, list):
            is_index = _INDEX.fullmatch(key)
            expected = f"a list with an element {key}" if is_index else expected
            found = f"a list of {len(value)}" if value else "an empty list"
        stop = Path(self.root, self.keys[: done - 1])
        return MissingPath(str(self), str(stop), expected=expected, found=found)


def _key(text: str, start: int) -> tuple[str, int]:
    if match := _BARE.match(text, start):
        return match.group(), match.end()
    if match := _QUOTED.match(text, start):
        try:
            return decode(match.group()), match.end()
        except ValueError:
            raise ExpressionError(
                f"expected a key in double quotes as JSON writes it, found {match.group()}",
                "write two backslashes for one",
            ) from None
    found = quoted(text[start:]) if text[start:] else "nothing"
    raise ExpressionError(
        f"expected a key after the dot behind {quoted(text[: start - 1])}, found {found}",
        'write a key with odd characters in double quotes: payload."a.b"',
    )


def _written(key: str) -> str:
    return key if _BARE.fullmatch(key) else encode(key).decode()


def _remedy(rest: str) -> str:
    if rest.startswith("["):
        return "write the number of an element behind a dot: payload.items.0"
    return 'write a key with odd characters in double quotes: payload."a.b"'


def _example(roots: Collection[str]) -> str:
    return f"write a root and keys behind dots: {min(roots, key=_by_use)}.url"


def _by_use(root: str) -> tuple[bool, str]:
    return root != "payload", root
