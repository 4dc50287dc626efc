from __future__ import annotations

from copy import deepcopy
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ductile.documents.render import render, to_json
from ductile.documents.yaml import parse
from ductile.dsl.compiler import compile_documents
from ductile.dsl.definition import restore
from ductile.dsl.graph import successors
from ductile.model.json import encode
from tests.unit.dsl.builders import Plugins, a_document, compiled
from tests.unit.dsl.random_pipelines import CHANGES, Raw, as_text, pipelines, spoilt

RANDOM = st.integers(0, 2**32).map(Random)


def plain(found: list[Raw]) -> str:
    return encode({"pipelines": found}).decode()


@given(pipelines())
def test_every_node_is_reached_and_every_way_leads_forward(found: list[Raw]) -> None:
    for pipeline in compiled(plain(found)).pipelines.values():
        reached = {*pipeline.entries, *pipeline.on_failure, *pipeline.finally_}
        passed: set[str] = set()
        for node in pipeline.nodes.values():
            assert node.id in reached
            assert not passed.intersection(successors(node))
            reached.update(successors(node))
            passed.add(node.id)
        assert passed == reached


@given(pipelines())
def test_a_join_knows_all_that_leads_to_it(found: list[Raw]) -> None:
    for pipeline in compiled(plain(found)).pipelines.values():
        for join in pipeline.joins.values():
            leading = {n.id for n in pipeline.nodes.values() if join.id in successors(n)}
            assert set(join.sources) == leading
            assert len(join.sources) == len(leading) > 0
            assert leading <= pipeline.upstream(join.id)


@given(pipelines())
def test_what_is_upstream_is_all_that_can_be_before(found: list[Raw]) -> None:
    for pipeline in compiled(plain(found)).pipelines.values():
        before: dict[str, set[str]] = {node_id: set() for node_id in pipeline.nodes}
        for node in pipeline.nodes.values():
            for each in successors(node):
                before[each] |= {node.id, *before[node.id]}
        assert {key: pipeline.upstream(key) for key in pipeline.nodes} == before


@given(pipelines())
def test_a_node_goes_by_its_own_id(found: list[Raw]) -> None:
    for pipeline in compiled(plain(found)).pipelines.values():
        assert [node.id for node in pipeline.nodes.values()] == list(pipeline.nodes)


@given(pipelines())
def test_a_pipeline_is_restored_from_its_definition(found: list[Raw]) -> None:
    for pipeline in compiled(plain(found)).pipelines.values():
        restored = restore(pipeline.definition)
        assert restored == pipeline
        assert list(restored.nodes) == list(pipeline.nodes)


@given(pipelines(), RANDOM)
def test_the_order_of_keys_and_types_comments_and_descriptions_do_not_change_a_version(
    found: list[Raw], random: Random
) -> None:
    described = [{**pipeline, "description": "For people."} for pipeline in found]
    for pipeline in described:
        types = pipeline["on"] if isinstance(pipeline["on"], list) else [pipeline["on"]]
        pipeline["on"] = random.sample(types, len(types))
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
@settings(max_examples=40)
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
