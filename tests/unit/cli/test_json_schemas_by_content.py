"""What an editor says by the schemas, with a real validator: never wrong, and of use."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from ductile.cli.json_schemas import MODELS, json_schema
from ductile.documents.yaml import parse
from tests.house.test_docs import CONFIGS, MANIFESTS, PIPELINES, Example
from tests.unit.cli.test_json_schemas import FILES
from tests.unit.dsl.builders import steps_text
from tests.unit.dsl.random_pipelines import Raw, pipelines

VALIDATORS = {name: Draft202012Validator(json_schema(name)) for name in MODELS}
STEP = "{uses: echo}"


def refused(name: str, text: str | bytes) -> list[str]:
    """What the validator has against a file."""
    document, problems = parse(text, "a.yaml")
    assert document is not None, problems
    return [each.message for each in VALIDATORS[name].iter_errors(document.value)]


@pytest.mark.parametrize("name", MODELS)
def test_a_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(json_schema(name))


@pytest.mark.parametrize("name", MODELS)
def test_what_init_makes_is_accepted(name: str) -> None:
    assert refused(name, FILES[name].read_bytes()) == []


@pytest.mark.parametrize("example", PIPELINES, ids=str)
def test_every_pipeline_of_the_docs_is_accepted(example: Example) -> None:
    assert refused("pipelines", example.text) == []


@pytest.mark.parametrize("example", CONFIGS, ids=str)
def test_every_configuration_of_the_docs_is_accepted(example: Example) -> None:
    assert refused("config", example.text) == []


@pytest.mark.parametrize("example", MANIFESTS, ids=str)
def test_every_manifest_of_the_docs_is_accepted(example: Example) -> None:
    assert refused("manifest", example.text) == []


@given(pipelines())
def test_whatever_the_compiler_accepts_the_schema_accepts(found: list[Raw]) -> None:
    value: Any = {"pipelines": found}
    assert [each.message for each in VALIDATORS["pipelines"].iter_errors(value)] == []


@pytest.mark.parametrize(
    "step",
    [
        "{id: x}",
        "{uses: echo, call: p}",
        "{uses: echo, whit: {}}",
        "{uses: 'echo.'}",
        "{uses: [echo]}",
        "{uses: echo, id: a/b}",
        "{uses: echo, timeout: 5 minuts}",
        "{uses: echo, timeout: 5}",
        "{uses: echo, retry: {max_attempts: 0}}",
        "{uses: echo, retry: {attempts: 2}}",
        "{uses: echo, workspace: clon}",
        "{uses: echo, join: any}",
        "{uses: echo, with: [a]}",
        "{uses: echo, baggage: {origin_x: payload.x}}",
        "{uses: echo, baggage: {a..b: payload.x}}",
        "{uses: echo, on_events: {ductile.joined: []}}",
        "{uses: echo, on_events: {x: [a/b]}}",
        "{call: p, timeout: 5m}",
        "{split: []}",
        "{steps: [{use: echo}]}",
        "{uses: echo, if: payload.x}",
        "{uses: echo, if: {path: paylod.x, op: exists}}",
        "{uses: echo, if: {path: payload.x, op: gtt, value: 1}}",
        "{uses: echo, if: {path: payload.x, op: exists, value: 1}}",
        "{uses: echo, if: {path: payload.x, op: gt}}",
        "{uses: echo, if: {path: payload.x, op: gt, value: true}}",
        "{uses: echo, if: {path: payload.x, op: in, value: a}}",
        "{uses: echo, if: {path: payload.x, op: startswith, value: 5}}",
        "{uses: echo, if: {all: {path: payload.x, op: exists}}}",
        "{uses: echo, if: {all: [], any: []}}",
    ],
)
def test_a_step_that_is_wrong_is_refused(step: str) -> None:
    assert refused("pipelines", steps_text(f"[{step}]")) != []


@pytest.mark.parametrize(
    "keys",
    [
        "on: a",
        f"name: p, steps: [{STEP}]",
        f"name: a b, on: a, steps: [{STEP}]",
        f"name: p, on: a..b, steps: [{STEP}]",
        f"name: p, on: ductile.joined, steps: [{STEP}]",
        f"name: p, on: [], steps: [{STEP}]",
        f"name: p, on: a, timeout: soon, steps: [{STEP}]",
        f"name: p, on: a, form: x, steps: [{STEP}]",
        f"name: p, on: a, steps: {STEP}",
        f"name: p, on: a, steps: [{STEP}], on_failure: []",
    ],
)
def test_a_pipeline_that_is_wrong_is_refused(keys: str) -> None:
    assert refused("pipelines", f"pipelines: [{{{keys}}}]") != []


def signed(signature: str) -> str:
    return f"webhooks: {{endpoints: [{{name: a, event: e, signature: {{{signature}}}}}]}}"


@pytest.mark.parametrize(
    "signature",
    [
        "scheme: hmac-sha512, secret: [a, b], signed: '{timestamp}.{body}', timestamp_header: T",
        "scheme: standard-webhooks, secret: YQ==",
        "scheme: standard-webhooks, public_key: [YQ==]",
        "scheme: none, accept_unsigned: true",
        "scheme: none, accept_unsigned: '${ACCEPT}'",
        "scheme: '${SCHEME}', secret: '${SECRET}'",
    ],
)
def test_a_signature_that_is_right_is_accepted(signature: str) -> None:
    assert refused("config", signed(signature)) == []


@pytest.mark.parametrize(
    "signature",
    [
        "secret: s",
        "scheme: gihub, secret: s",
        "scheme: github",
        "scheme: github, secret: []",
        "scheme: github, secret: s, header: X-Sig",
        "scheme: hmac-sha256, secret: s, encoding: base32",
        "scheme: standard-webhooks",
        "scheme: none",
        "scheme: none, accept_unsigned: false",
    ],
)
def test_a_signature_that_is_wrong_is_refused(signature: str) -> None:
    assert refused("config", signed(signature)) != []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pipelines", "pipeline: []"),
        ("config", "servce: {}"),
        ("config", "service: {max_workers: many}"),
        ("config", "service: {log_level: loud}"),
        ("config", "plugins: {echo: {timeouts: {handle: 5}}}"),
        ("config", "http: {listen: 8080}"),
        ("manifest", "name: echo"),
        ("manifest", "manifest_spec: other.plugin"),
    ],
)
def test_a_file_that_is_wrong_is_refused(name: str, text: str) -> None:
    assert refused(name, text) != []
