"""From a document to a typed value, with a problem at its place for all that does not fit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from ductile.documents.problems import (
    BadValue,
    Place,
    Problem,
    described,
    in_order,
    quoted,
    refuses,
)
from ductile.documents.suggest import did_you_mean, hint
from ductile.documents.yaml import Document, Path
from ductile.model.json import Json, decode, encode

_EXPECTED: Final = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "none_required": "nothing",
}
_NUMBERS: Final = frozenset(("a whole number", "a number"))
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_CHOICES: Final = frozenset(("enum", "literal_error"))
_BOUNDS: Final = {
    "greater_than_equal": ("ge", "{} or more"),
    "greater_than": ("gt", "more than {}"),
    "less_than_equal": ("le", "{} or less"),
    "less_than": ("lt", "less than {}"),
}
_EMPTY: Final = {"too_short": "an empty list", "string_too_short": "an empty text"}
#: What is put behind the name of a key that is itself wrong.
_KEY_MARK: Final = "[key]"


class Schema(BaseModel):
    """What a mapping of a file must look like: no other keys, and no "5" for a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    noun: ClassVar[str] = ""
    """What a mapping of this kind is called in messages: `a step`."""


M = TypeVar("M", bound=Schema)


def validate(
    model: type[M], document: Document, *, at: Path = (), warn_unknown: bool = False
) -> tuple[M | None, list[Problem]]:
    """The value at `at` as a `model`, and everything that is wrong with it.

    With `warn_unknown`, keys that the model does not know are warnings and are left out of the
    value. There is no value if any problem is more than a warning.
    """
    value = document.get(at)
    result, errors = _try(model, value)
    if warn_unknown:
        unknown = [error for error in errors if error["type"] == "extra_forbidden"]
        result, others = _try(model, _without(value, unknown)) if unknown else (result, errors)
        errors = unknown + others
    report = _Report(model, document, at, value, warn_unknown=warn_unknown)
    problems = in_order(report.problems(errors))
    return (None if refuses(problems) else result), problems


def _try(model: type[M], value: Json) -> tuple[M | None, list[ErrorDetails]]:
    try:
        # As JSON: strict Python input would want tuples and enum members, which YAML has not.
        return model.model_validate_json(encode(value)), []
    except ValidationError as error:
        return None, error.errors(include_url=False)


def _without(value: Json, unknown: Iterable[ErrorDetails]) -> Json:
    copy = decode(encode(value))
    for error in unknown:
        path = _path(error["loc"], copy)
        mapping = copy
        for part in path[:-1]:
            mapping = mapping[part]
        mapping.pop(path[-1], None)
    return copy


def _path(location: tuple[str | int, ...], value: Json) -> Path:
    """The parts of an error's location that are steps into `value`.

    Others name a member of a union, or a key that is not there.
    """
    path: list[str | int] = []
    for part in location:
        inside = (
            part in value
            if isinstance(value, dict)
            else isinstance(value, list) and isinstance(part, int) and part < len(value)
        )
        if inside:
            path.append(part)
            value = value[part]
    return tuple(path)


class _Report:
    """Puts pydantic's errors into our words and at their places."""

    def __init__(
        self, model: type[Schema], document: Document, at: Path, value: Json, *, warn_unknown: bool
    ) -> None:
        self._model = model
        self._document = document
        self._at = at
        self._value = value
        self._warn_unknown = warn_unknown

    def problems(self, errors: Iterable[ErrorDetails]) -> Iterator[Problem]:
        """One problem per place, but one for each key that is unknown or missing."""
        wrong: dict[Path, list[ErrorDetails]] = {}
        for error in errors:
            path = _path(error["loc"], self._value)
            if error["type"] == "extra_forbidden":
                yield self._unknown(path)
            elif error["type"] == "missing":
                yield self._missing(path, str(error["loc"][-1]))
            elif error["loc"] and error["loc"][-1] == _KEY_MARK:
                message, remedy = _words([error])
                yield Problem(message, self._document.key_place(self._at + path), remedy)
            elif not _is_echo(error):
                wrong.setdefault(path, []).append(error)
        for path, found in wrong.items():
            message, remedy = _words(found)
            yield Problem(message, self._place(path, found[0]), remedy)

    def _place(self, path: Path, error: ErrorDetails) -> Place:
        cause = error.get("ctx", {}).get("error")
        path = self._at + path + (cause.at if isinstance(cause, BadValue) else ())
        # A value that is not there has no place of its own.
        empty = self._document.get(path) is None
        return self._document.key_place(path) if empty else self._document.place(path)

    def _unknown(self, path: Path) -> Problem:
        mapping = self._document.get(self._at + path[:-1])
        schemas = _fitting(_schemas_at(self._model, path[:-1]), mapping)
        known = {_key(name, field) for s in schemas for name, field in s.model_fields.items()}
        key = str(path[-1])
        message = f"unknown key {quoted(key)}{_in(schemas)}"
        place = self._document.key_place(self._at + path)
        return Problem(message, place, hint(key, known), warning=self._warn_unknown)

    def _missing(self, path: Path, key: str) -> Problem:
        message = f"missing key {quoted(key)}{_in(_schemas_at(self._model, path))}"
        return Problem(message, self._document.place(self._at + path), f'add "{key}: …"')


def _is_echo(error: ErrorDetails) -> bool:
    """Whether a list is called too short only because items in it were refused."""
    minimum = error.get("ctx", {}).get("min_length", 0)
    return error["type"] == "too_short" and len(error["input"]) >= minimum


def _words(errors: list[ErrorDetails]) -> tuple[str, str | None]:
    """What one or more errors about one value mean, and the remedy."""
    found = errors[0]["input"]
    expected = [_EXPECTED[error["type"]] for error in errors if error["type"] in _EXPECTED]
    if len(expected) == len(errors):
        kinds = list(dict.fromkeys(expected))
        return f"expected {' or '.join(kinds)}, found {described(found)}", _remedy(kinds, found)
    # Of the members of a union, the one that got furthest knows best.
    error = next(error for error in errors if error["type"] not in _EXPECTED)
    return _special(error)


def _special(error: ErrorDetails) -> tuple[str, str | None]:
    kind, found, context = error["type"], error["input"], error.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, BadValue):
        return str(cause), cause.hint
    if kind in _CHOICES:
        choices = re.findall(r"'([^']*)'", str(context.get("expected")))
        meant = did_you_mean(found, choices) if isinstance(found, str) else None
        message = f"expected {_either(choices)}, found {described(found)}"
        return message, f'did you mean "{meant}"?' if meant else None
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"expected {words.format(context[name])}, found {described(found)}", None
    if kind in ("too_short", "string_too_short") and not found:
        return f"expected something, found {_EMPTY[kind]}", None
    text = str(cause or error["msg"])
    return f"{text[:1].lower()}{text[1:]}, found {described(found)}", None


def _remedy(expected: list[str], found: Json) -> str | None:
    if isinstance(found, bool | int | float):
        text = described(found).removeprefix("the number ")
    elif isinstance(found, str):
        text = found
    else:
        return 'start each item with "- "' if found and expected == ["a list"] else None
    if "text" in expected:
        return f'put it in quotes: "{text}"'
    if _NUMBERS.intersection(expected) and _WHOLE.fullmatch(text):
        return f"write it without quotes: {text}"
    return f"write it as a list: [{text}]" if expected == ["a list"] else None


def _either(choices: list[str]) -> str:
    words = [quoted(choice) for choice in choices]
    return " or ".join((", ".join(words[:-1]), words[-1]) if len(words) > 1 else words)


def _in(schemas: Iterable[type[Schema]]) -> str:
    nouns = list(dict.fromkeys(schema.noun for schema in schemas if schema.noun))
    return f" in {' or '.join(nouns)}" if nouns else ""


def _key(name: str, field: Any) -> str:
    return field.alias or name


def _schemas_at(model: type[Schema], path: Path) -> list[type[Schema]]:
    """Which schemas the mapping at `path` may have, by the annotations of the fields."""
    kinds: list[Any] = [model]
    for part in path:
        kinds = [inner for kind in kinds for inner in _inside(kind, part)]
    return [kind for kind in kinds if _is_schema(kind)]


def _fitting(schemas: list[type[Schema]], mapping: Json) -> list[type[Schema]]:
    """Of the members of a union, those that the mapping chooses by a word; all, if it does not."""
    return [each for each in schemas if _chosen(each, mapping)] or schemas


def _chosen(schema: type[Schema], mapping: Json) -> bool:
    fields = {_key(name, field): field.annotation for name, field in schema.model_fields.items()}
    words = ((key, get_args(kind)) for key, kind in fields.items() if get_origin(kind) is Literal)
    return all(mapping[key] in chosen for key, chosen in words if key in mapping)


def _inside(kind: Any, part: str | int) -> Iterator[Any]:
    if _is_schema(kind):
        for name, field in kind.model_fields.items():
            if _key(name, field) == part:
                yield from _members(field.annotation)
        return
    arguments = get_args(kind)
    if arguments:
        is_mapping = issubclass(get_origin(kind) or object, Mapping)
        yield from _members(arguments[-1] if is_mapping else arguments[0])


def _members(annotation: Any) -> Iterator[Any]:
    """An annotation without its metadata; each member of a union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    else:
        yield annotation


def _is_schema(kind: Any) -> bool:
    return isinstance(kind, type) and get_origin(kind) is None and issubclass(kind, Schema)
