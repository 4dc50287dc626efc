"""`${NAME}`: values of a document that are taken from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ductile.documents.nodes import Collection, Node
from ductile.documents.problems import Problem, quoted
from ductile.documents.suggest import did_you_mean
from ductile.documents.yaml import Document, Path

_REFERENCE: Final = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Use:
    """One variable that stood in one value."""

    path: Path
    name: str
    value: str


def interpolate(
    document: Document, environment: Mapping[str, str]
) -> tuple[Document, list[Use], list[Problem]]:
    """The document with all `${NAME}` replaced, and what was used where.

    Only texts are looked at, after parsing: whatever a variable holds, it stays text and adds
    no YAML. `$${` stands for `${`. Keys are left alone.
    """
    pass_ = _Pass(document, environment)
    root = pass_.node(document.root, ())
    return Document(document.source, root), pass_.uses, pass_.problems


class _Pass:
    def __init__(self, document: Document, environment: Mapping[str, str]) -> None:
        self.uses: list[Use] = []
        self.problems: list[Problem] = []
        self._document = document
        self._environment = environment

    def node(self, node: Node, path: Path) -> Node:
        """A copy, since an aliased node stands in several places."""
        if isinstance(node.value, str):
            return Node(self._text(node.value, path), node.span)
        if not isinstance(node.value, dict | list):
            return node
        copy = Collection(type(node.value)(), node.span)
        copy.keys.update(node.keys)
        for part, child in node.children.items():
            copy.add(part if isinstance(part, str) else None, self.node(child, (*path, part)))
        copy.complete = node.complete
        return copy

    def _text(self, text: str, path: Path) -> str:
        return _REFERENCE.sub(lambda match: self._replacement(match, path), text)

    def _replacement(self, match: re.Match[str], path: Path) -> str:
        if match[0] == "$${":
            return "${"
        name = match[1]
        if name is None or not _NAME.fullmatch(name):
            found = "${" if name is None else match[0]
            self._problem(
                path,
                f"{quoted(found)} does not name a variable",
                "write ${NAME}, or $${ for the two characters themselves",
            )
            return ""
        value = self._environment.get(name)
        if value is None:
            meant = did_you_mean(name, self._environment.keys())
            question = f'did you mean "{meant}"? Otherwise ' if meant else ""
            self._problem(
                path,
                f"environment variable {quoted(name)} is not set",
                f"{question}set it for the process that runs the gateway",
            )
            return ""
        if not _is_unicode(value):
            self._problem(
                path, f"environment variable {quoted(name)} is not UTF-8", "encode it as UTF-8"
            )
            return ""
        self.uses.append(Use(path, name, value))
        return value

    def _problem(self, path: Path, message: str, hint: str) -> None:
        self.problems.append(Problem(message, self._document.place(path), hint))


def _is_unicode(text: str) -> bool:
    # Bytes of the environment that are not UTF-8 arrive as lone surrogates.
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
