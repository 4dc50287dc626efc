"""Where the code words its messages: found in the syntax of the source, not by running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import ductile

SOURCE = Path(ductile.__file__).parent
#: What carries a message, and which argument it is.
CARRIERS: Mapping[str, int] = {"Problem": 0, "BadValue": 0, "ExpressionError": 0}
_ANYTHING = "(?s:.+)"


@dataclass(frozen=True)
class Wording:
    """One text of the code that can become a message."""

    file: str
    """The path of the module, as tracebacks have it."""
    first_line: int
    last_line: int
    pattern: str
    """A regular expression for all messages that can come of it."""

    @property
    def name(self) -> str:
        """The module and the text, with `…` for what is filled in."""
        text = re.sub(r"\\(.)", r"\1", self.pattern.replace(_ANYTHING, "…"))
        return f"{Path(self.file).relative_to(SOURCE)}: {text}"


def wordings(files: Iterable[Path]) -> list[Wording]:
    """All texts that reach a carrier, over however many functions that hand a message on.

    A function that gives one of its parameters to a carrier as the message is a carrier itself;
    one that returns a message is looked into where it is called. Raises ValueError for a message
    of which this cannot tell where it is worded.
    """
    modules = [_Module(path) for path in files]
    carriers = dict(CARRIERS)
    while True:
        found = [each for module in modules for each in module.look(carriers)]
        more = {name: index for module in modules for name, index in module.carriers.items()}
        if more.items() <= carriers.items():
            return list(dict.fromkeys(found))
        carriers |= more


class _Module:
    def __init__(self, path: Path) -> None:
        self.carriers: dict[str, int] = {}
        self._file = str(path)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        self._classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        self._functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        self._by_name = {function.name: function for function in self._functions}

    def look(self, carriers: Mapping[str, int]) -> Iterator[Wording]:
        for kind in self._classes:
            for base in kind.bases:
                if _called(base) in carriers:
                    self.carriers[kind.name] = carriers[_called(base)]
        for function in self._functions:
            for node in _own(function):
                if isinstance(node, ast.Call):
                    index = carriers.get(_called(node))
                    if index is not None and len(node.args) > index:
                        yield from self._worded(node.args[index], function)

    def _worded(self, text: ast.expr, function: ast.FunctionDef) -> Iterator[Wording]:
        match text:
            case ast.Constant(value=str()) | ast.JoinedStr():
                last = text.end_lineno or text.lineno
                yield Wording(self._file, text.lineno, last, _pattern(text))
            case ast.IfExp(body=one, orelse=other):
                yield from self._worded(one, function)
                yield from self._worded(other, function)
            case ast.Name(id=name):
                yield from self._assigned(name, function)
            case ast.Attribute(attr="message") | ast.Call(func=ast.Name(id="str")):
                return  # of another carrier, where it has been found
            case _:
                raise ValueError(f"{self._file}:{text.lineno}: where is this message worded?")

    def _assigned(self, name: str, function: ast.FunctionDef) -> Iterator[Wording]:
        parameters = [each.arg for each in function.args.args if each.arg != "self"]
        if name in parameters:
            self.carriers[function.name] = parameters.index(name)
            return
        for node in _own(function):
            if isinstance(node, ast.Assign):
                yield from self._given(name, node.targets[0], node.value, function)

    def _given(
        self, name: str, target: ast.expr, value: ast.expr, function: ast.FunctionDef
    ) -> Iterator[Wording]:
        match target, value:
            case ast.Name(id=found), _ if found == name:
                yield from self._worded(value, function)
            case ast.Tuple(elts=names), ast.Tuple(elts=values):
                for each, given in zip(names, values, strict=True):
                    yield from self._given(name, each, given, function)
            case ast.Tuple(elts=[ast.Name(id=found), *_]), ast.Call() if found == name:
                yield from self._returned(_called(value), set())

    def _returned(self, name: str, seen: set[str]) -> Iterator[Wording]:
        """What a function of this module returns first."""
        function = self._by_name[name]
        for node in _own(function):
            match node:
                case ast.Return(value=ast.Tuple(elts=[first, *_])):
                    yield from self._worded(first, function)
                case ast.Return(value=ast.Call() as call) if _called(call) not in seen:
                    yield from self._returned(_called(call), {*seen, name})


def _own(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function, those of functions inside of it left aside."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, ast.FunctionDef):
            waiting += ast.iter_child_nodes(node)


def _called(call: ast.expr) -> str:
    function = call.func if isinstance(call, ast.Call) else call
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _pattern(text: ast.Constant | ast.JoinedStr) -> str:
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return "".join(
        re.escape(str(part.value)) if isinstance(part, ast.Constant) else _ANYTHING
        for part in parts
    )
