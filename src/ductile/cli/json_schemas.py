"""JSON Schemas of the files that people write, made of the models that the loaders use."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

import orjson

from ductile.config.settings import ConfigFile
from ductile.documents.validation import Schema
from ductile.dsl.syntax import MODES, OPTIONS, FileSyntax
from ductile.expressions.conditions import MAX_PREDICATES
from ductile.expressions.operators import OPERATORS
from ductile.expressions.paths import ROOTS
from ductile.model.json import Json, JsonObject
from ductile.plugin.manifest import ManifestFile

#: What a schema can be asked for: the name, and the model of the whole file.
MODELS: Final[Mapping[str, type[Schema]]] = {
    "config": ConfigFile,
    "pipelines": FileSyntax,
    "manifest": ManifestFile,
}

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Final = {"type": "string", "pattern": r"\$\{"}
#: What operators compare with, where that is not just anything.
_VALUES: Final[Mapping[str, JsonObject]] = {
    "in": {"type": "array"},
    **{key: {"type": ["number", "string"]} for key in ("gt", "gte", "lt", "lte")},
    **{key: {"type": "string"} for key in ("startswith", "endswith", "regex")},
}
_CONDITION: Final = {"$ref": "#/$defs/Condition"}


def json_schema(name: str) -> JsonObject:
    """The schema of one of `MODELS`, in draft 2020-12.

    It accepts every file that the loader accepts. What cannot be said in a schema (that a plugin
    exists, that a call does not go in circles) is left to `ductile config check`.
    """
    schema = MODELS[name].model_json_schema()
    definitions = schema.setdefault("$defs", {})
    models = {each.__name__: each for each in _schemas(Schema)}
    _document(schema, MODELS[name])
    for title, definition in definitions.items():
        if title in models:
            _document(definition, models[title])
    if name == "pipelines":
        schema = _without_defaults(schema)
        _complete_language(schema["$defs"])
    if name == "config":
        schema = _with_references(schema)
    if name == "manifest":
        # The reader only warns of keys that it does not know.
        schema = _with_more_keys(schema)
    return {"$schema": _DIALECT, **schema, "title": f"ductile: {name}"}


def written(schema: JsonObject) -> bytes:
    """The schema as it stands in its file."""
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _schemas(base: type[Schema]) -> Iterator[type[Schema]]:
    for each in base.__subclasses__():
        yield each
        yield from _schemas(each)


def _document(definition: dict[str, Json], model: type[Schema]) -> None:
    """Put what the code says of each field where editors show it."""
    texts = _field_texts(model)
    for name, field in model.model_fields.items():
        described = definition.get("properties", {}).get(field.alias or name)
        if described is not None:
            described.pop("title", None)
            if name in texts:
                described["description"] = texts[name]


def _field_texts(model: type[Schema]) -> dict[str, str]:
    """The texts under the fields of a model, by name."""
    [body] = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    found: dict[str, str] = {}
    lines = body.body if isinstance(body, ast.ClassDef) else []
    for field, text in pairwise(lines):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(said))),
            ):
                found[name] = inspect.cleandoc(said)
    return found


def _without_defaults(schema: Json) -> Json:
    """In the language of pipelines a default only stands for a key that was left out."""
    match schema:
        case dict():
            return {
                key: _without_defaults(each) for key, each in schema.items() if key != "default"
            }
        case list():
            return [_without_defaults(each) for each in schema]
    return schema


def _with_references(schema: Json) -> Json:
    """Wherever a scalar must look a certain way, `${NAME}` may stand for it."""
    match schema:
        case {"type": "string", "pattern": _} | {"type": "string", "enum": _}:
            return {"anyOf": [schema, _REFERENCE]}
        case {"type": "string", "const": _}:
            return {"anyOf": [schema, _REFERENCE]}
        case {"oneOf": members, "discriminator": _, **others}:
            # Where the word that chooses is a reference, more than one may fit.
            return {"anyOf": _with_references(members), **others}
        case {"type": "integer" | "boolean" | "number"}:
            return {"anyOf": [schema, _REFERENCE]}
        case dict():
            return {key: _with_references(each) for key, each in schema.items()}
        case list():
            return [_with_references(each) for each in schema]
    return schema


def _with_more_keys(schema: Json) -> Json:
    match schema:
        case dict():
            kept = {key: _with_more_keys(each) for key, each in schema.items()}
            if kept.get("additionalProperties") is False:
                del kept["additionalProperties"]
            return kept
        case list():
            return [_with_more_keys(each) for each in schema]
    return schema


def _complete_language(definitions: dict[str, Json]) -> None:
    """What the compiler checks beyond the models, as far as a schema can say it."""
    step = definitions["StepSyntax"]
    step["oneOf"] = [{"required": [mode]} for mode in MODES]
    step["dependentRequired"] = {option: ["uses"] for option in OPTIONS}
    for each in ("baggage", "on_events"):
        # Keys of another form are refused.
        step["properties"][each]["additionalProperties"] = False
    for each in ("StepSyntax", "PipelineSyntax"):
        definitions[each]["properties"]["if"] = _CONDITION
    definitions["Condition"] = _condition()


def _condition() -> JsonObject:
    groups = {
        name: {"type": "array", "items": _CONDITION, "minItems": 1, "maxItems": MAX_PREDICATES}
        for name in ("all", "any")
    }
    roots = "|".join(sorted(ROOTS))
    predicate = {"path": {"type": "string", "pattern": rf"^({roots})(\.|$)"}}
    bare = [each.name for each in OPERATORS.values() if not each.takes_value]
    valued = {each.name: _VALUES.get(each.name, {}) for each in OPERATORS.values()}
    by_value: dict[bytes, list[str]] = {}
    for name, value in valued.items():
        if name not in bare:
            by_value.setdefault(orjson.dumps(value), []).append(name)
    return {
        "description": "{path, op, value}, or all, any or not of such.",
        "oneOf": [
            *(
                _object(predicate | {"op": {"enum": names}, "value": orjson.loads(value)})
                for value, names in by_value.items()
            ),
            _object(predicate | {"op": {"enum": bare}}),
            *(_object({name: each}) for name, each in groups.items()),
            _object({"not": _CONDITION}),
        ],
    }


def _object(properties: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
