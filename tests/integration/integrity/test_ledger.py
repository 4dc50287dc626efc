"""What is said of rows that Ductile cannot have written."""

from __future__ import annotations

import json

import pytest

from ductile.insights.integrity.findings import Subject, Verdict
from ductile.model.ids import new_id
from tests.integration.integrity.looking import details, forging, verdict
from tests.support.scripts import emits, fails, updates
from tests.support.site import Chain, Site

UNCHANGED = "context_is_never_changed"


@pytest.fixture
def site(site: Site) -> Site:
    for name in ("one", "two"):
        site.plugin(name, updates(**{name: True, "by": name}))
    site.pipeline(
        """
        - name: p
          on: go
          steps:
            - split: [{uses: one}, {uses: two}]
            - {id: last, uses: use}
        """
    )
    return site


def forged(site: Site, statement: str, *values: object) -> tuple[Chain, Verdict]:
    """A finished chain, told of after the statement; `?` stand for its only run first."""
    with site.running() as running:
        chain = running.finish("go", {"n": 1})
        with forging(site, UNCHANGED, "pipeline_version_is_never_changed") as database:
            database.execute(statement, tuple(_filled(chain, each) for each in values))
        return chain, verdict(running, site, chain)


def _filled(chain: Chain, value: object) -> object:
    match value:
        case "ROOT":
            [root] = [each for each in chain.records.contexts if each.parent_id is None]
            return root.id
        case "JOIN":
            return chain.job("last").event_context_id
        case "RESULT":
            return chain.job("one").result_context_id
        case "RUN":
            return chain.records.runs[0].id
        case "HASH":
            return chain.records.runs[0].pipeline_hash
    return value


def test_every_kind_of_row_that_ductile_writes_is_intact(site: Site) -> None:
    site.plugin("say", emits(("said", {"word": "hi"}), ("said", {"word": "ho"})))
    site.plugin("bad", fails(retry=False))
    site.pipeline(
        """
        - name: p
          on: go
          steps:
            - split: [{uses: one}, {uses: two}]
            - {uses: say}
        - name: q
          on: said
          steps: [{uses: one, baggage: {kept.deep: "payload.by"}}, {uses: bad}]
          on_failure: [{id: mend, uses: two}]
          finally: [{id: tidy, uses: use}]
        """
    )
    with site.running() as running:
        chain = running.finish("go", {"n": 1, "ductile_own": 2, "failure": "none"})
        found = verdict(running, site, chain)
    assert len(chain.records.runs) == 3
    assert found.intact, details(found)
    assert found.tally.contexts == len(chain.records.contexts)


@pytest.mark.parametrize(
    ("row", "change", "expected"),
    [
        ("ROOT", "hop = 0, accumulated_json = '{\"n\":2}'", "started the chain with"),
        ("JOIN", "accumulated_json = json_set(accumulated_json, '$.by', 'one')", 'other in "by"'),
        ("RESULT", "accumulated_json = json_remove(accumulated_json, '$.n')", 'lacks "n"'),
        ("RESULT", "hop = 7", "expected hop 1, found 7"),
        ("RESULT", "step_id = 'two'", "its run and step are not those of the job"),
        ("RESULT", "version = NULL", "is pinned, found None"),
        ("RESULT", "run_id = 'x'", "its run x is not of its chain"),
        ("RESULT", "run_id = NULL", "expected a pipeline only where there is a run"),
        ("RESULT", "parent = 999", "it has no parent, so expected hop 0, found 1"),
        (
            "RESULT",
            "accumulated_json = json_set(accumulated_json, '$.origin_source', 'x')",
            '"origin_" keys are not those of its parent',
        ),
        (
            "RESULT",
            "accumulated_json = json_set(accumulated_json, '$.ductile_x', 1)",
            'has "ductile_x", which no plugin can set',
        ),
        ("RESULT", "accumulated_json = '{'", "its rows cannot be read"),
    ],
)
def test_a_forged_context_is_found(site: Site, row: str, change: str, expected: str) -> None:
    _, found = forged(site, f"UPDATE context SET {change} WHERE id = ?", row)
    assert expected in details(found)
    assert not found.intact


def test_a_context_that_nobody_wrote_is_found(site: Site) -> None:
    _, found = forged(
        site,
        "INSERT INTO context SELECT NULL, ?, number, run_id, version, step_id, hop + 1, "
        "accumulated_json, created_at FROM context WHERE id = ?",
        new_id(),
        "RESULT",
    )
    [problem] = found.ledger
    assert (problem.subject, problem.detail) == (Subject.CONTEXT, 'no job of step "one" wrote it')


def test_a_job_that_reads_what_another_branch_wrote_is_found(site: Site) -> None:
    _, found = forged(
        site, "UPDATE job_queue SET event_context_id = ? WHERE step_id = 'two'", "RESULT"
    )
    assert "which is not its parent" in details(found)


def test_a_forged_definition_is_found(site: Site) -> None:
    chain, found = forged(
        site,
        "UPDATE pipeline_version SET definition = replace(definition, '\"use\"', '\"make\"') "
        "WHERE hash = ?",
        "HASH",
    )
    [problem] = found.ledger
    assert (problem.subject, problem.id) == (Subject.VERSION, chain.records.runs[0].pipeline_hash)
    assert "the hash of its definition is blake3:" in problem.detail


def test_a_run_that_is_pinned_to_another_version_is_found(site: Site) -> None:
    chain, found = forged(
        site,
        "UPDATE pipeline_run SET pipeline_hash = ? WHERE id = ?",
        "blake3:other",
        "RUN",
    )
    assert "to which run" in details(found)
    assert chain.records.runs[0].pipeline_hash in details(found)


def test_a_definition_that_is_none_is_found(site: Site) -> None:
    _, found = forged(site, "UPDATE pipeline_version SET definition = '{}' WHERE hash = ?", "HASH")
    assert "cannot be read" in details(found)


def test_a_key_that_the_mapping_of_the_step_does_not_name_is_found(site: Site) -> None:
    site.pipeline(
        '- {name: p, on: go, steps: [{uses: one, baggage: {kept: "payload.by"}}, '
        "{id: last, uses: use}]}"
    )
    _, found = forged(
        site,
        "UPDATE context SET accumulated_json = json_set(accumulated_json, '$.more', 1) "
        "WHERE id = ?",
        "RESULT",
    )
    assert '"baggage" of step "one" does not name' in details(found)
    assert json.dumps("more") in details(found)
