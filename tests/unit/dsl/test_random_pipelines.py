from __future__ import annotations

from copy import deepcopy
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ductile.documents.render import render, to_json
from ductile.documents.yaml import parse
from ductile.dsl.compiler import compile_documents
from ductile.dsl.definition import restore
from ductile.dsl.graph import Pipeline
from ductile.model.json import encode
from tests.unit.dsl.builders import Plugins, a_document, compiled
from tests.unit.dsl.random_pipelines import CHANGES, Raw, as_text, pipelines, spoilt

RANDOM = st.integers(0, 2**32).map(Random)


def plain(found: list[Raw]) -> str:
    return encode({"pipelines": found}).decode()


def reachable(pipeline: Pipeline) -> list[str]:
    """Every step as often as there are ways to it."""
    ways = list(pipeline.entries)
    for step_id in ways:
        ways += pipeline.steps[step_id].next
    return ways


@given(pipelines())
def test_every_step_is_reached_in_exactly_one_way(found: list[Raw]) -> None:
    for pipeline in compiled(plain(found)).pipelines.values():
        assert sorted(reachable(pipeline)) == sorted(pipeline.steps)


@given(pipelines())
def test_a_step_goes_by_its_own_id(found: list[Raw]) -> None:
    for pipeline in compiled(plain(found)).pipelines.values():
        assert {key: step.id for key, step in pipeline.steps.items()} == {
            key: key for key in pipeline.steps
        }


@given(pipelines())
def test_a_pipeline_is_restored_from_its_definition(found: list[Raw]) -> None:
    for pipeline in compiled(plain(found)).pipelines.values():
        restored = restore(pipeline.definition)
        assert restored == pipeline
        assert list(restored.steps) == list(pipeline.steps)


@given(pipelines(), RANDOM)
def test_the_order_of_keys_comments_and_descriptions_do_not_change_a_version(
    found: list[Raw], random: Random
) -> None:
    described = [{**pipeline, "description": "For people."} for pipeline in found]
    one, other = compiled(plain(found)), compiled(as_text(described, random))
    assert {name: p.hash for name, p in one.pipelines.items()} == {
        name: p.hash for name, p in other.pipelines.items()
    }


@given(pipelines(), RANDOM)
def test_how_pipelines_are_spread_over_files_does_not_change_a_version(
    found: list[Raw], random: Random
) -> None:
    shuffled = random.sample(found, len(found))
    cut = random.randrange(len(found) + 1)
    files = [plain(part) for part in (shuffled[:cut], shuffled[cut:]) if part]
    assert compiled(*files) == compiled(plain(found))


@pytest.mark.parametrize("change", CHANGES)
@given(found=pipelines(), random=RANDOM)
def test_every_change_of_meaning_is_another_version(
    change: str, found: list[Raw], random: Random
) -> None:
    changed = deepcopy(found)
    CHANGES[change](changed, random)
    one, other = compiled(plain(found)), compiled(plain(changed))
    assert one.pipelines[found[0]["name"]].hash != other.pipelines[changed[0]["name"]].hash


@given(pipelines())
def test_pipelines_of_other_names_are_other_versions(found: list[Raw]) -> None:
    hashes = [pipeline.hash for pipeline in compiled(plain(found)).pipelines.values()]
    assert len(set(hashes)) == len(found)


@given(pipelines(), RANDOM)
def test_spoilt_pipelines_come_to_problems_with_places_and_never_to_a_crash(
    found: list[Raw], random: Random
) -> None:
    document = a_document(encode(spoilt(found, random)).decode().replace("\u2028", "\\u2028"))
    catalogue, problems = compile_documents([document], Plugins())
    assert (catalogue is None) == bool(problems)
    assert all(problem.place is not None for problem in problems)
    encode(to_json(problems))
    render(problems)


@given(pipelines(), RANDOM)
def test_a_text_with_some_characters_changed_never_crashes_the_compiler(
    found: list[Raw], random: Random
) -> None:
    text = as_text(found, random)
    for _ in range(random.randrange(1, 5)):
        at = random.randrange(len(text))
        text = text[:at] + random.choice(":-[]{}&*!#'\"\n\t a") + text[at + random.randrange(2) :]
    document, problems = parse(text, "a.yaml")
    if document is not None:
        _, found_problems = compile_documents([document], Plugins())
        problems += found_problems
    render(problems)
