"""The schemas say what the loaders check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ductile.cli import json_schemas
from ductile.cli.json_schemas import MODELS, json_schema
from ductile.documents.yaml import parse
from ductile.dsl.syntax import MODES
from ductile.expressions.operators import OPERATORS
from ductile.model.json import Json

SCAFFOLD = Path(json_schemas.__file__).with_name("scaffold")
FILES = {
    "config": SCAFFOLD / "config.yaml",
    "pipelines": SCAFFOLD / "pipelines" / "hello.yaml",
    "manifest": SCAFFOLD / "plugins" / "hello" / "manifest.yaml",
}


def references(schema: Json) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for each in schema.values():
            yield from references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from references(each)


@pytest.mark.parametrize("name", MODELS)
def test_every_reference_leads_to_a_definition(name: str) -> None:
    schema = json_schema(name)

    known = {f"#/$defs/{each}" for each in schema["$defs"]}
    assert set(references(schema)) <= known


@pytest.mark.parametrize("name", MODELS)
def test_every_key_of_a_scaffolded_file_is_known(name: str) -> None:
    document, _ = parse(FILES[name].read_bytes(), str(FILES[name]))

    assert document is not None
    assert set(document.value) <= set(json_schema(name)["properties"])


@pytest.mark.parametrize("name", MODELS)
def test_every_scaffolded_file_names_its_schema_by_a_path_that_init_makes(name: str) -> None:
    first, *_ = FILES[name].read_text().splitlines()

    match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert match is not None
    target = (FILES[name].parent / match[1]).resolve()
    assert target == SCAFFOLD.resolve() / "schemas" / f"{name}.json"


def test_a_step_is_exactly_one_kind_of_step() -> None:
    step = json_schema("pipelines")["$defs"]["StepSyntax"]

    assert [each["required"] for each in step["oneOf"]] == [[mode] for mode in MODES]


def test_every_operator_is_offered_for_conditions() -> None:
    condition = json_schema("pipelines")["$defs"]["Condition"]

    forms = [each["properties"] for each in condition["oneOf"]]
    offered = [name for form in forms if "op" in form for name in form["op"]["enum"]]
    assert sorted(offered) == sorted(OPERATORS)


def test_a_key_left_out_of_a_pipeline_is_offered_no_default() -> None:
    assert "default" not in json_schema("pipelines")["$defs"]["StepSyntax"]["properties"]["timeout"]


def test_what_the_code_says_of_a_setting_stands_in_the_schema() -> None:
    service = json_schema("config")["$defs"]["ServiceSettings"]["properties"]

    assert service["name"]["description"] == "What this gateway is called, for people."


def test_a_number_in_the_configuration_may_be_a_variable() -> None:
    service = json_schema("config")["$defs"]["ServiceSettings"]["properties"]

    assert {"type": "string", "pattern": r"\$\{"} in service["depth_limit"]["anyOf"]


def test_every_scaffolded_file_of_yaml_has_a_schema() -> None:
    assert {*SCAFFOLD.rglob("*.yaml"), *SCAFFOLD.rglob("*.yml")} == set(FILES.values())
