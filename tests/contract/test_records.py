"""The promises of the smaller records: events, runs, versions, artifacts, plugin states."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ductile.errors import Refused, StorageError
from ductile.model.artifact import Artifact, Change
from ductile.model.ids import EventId, JobId, PipelineHash, RunId, new_id
from ductile.model.job import Job
from ductile.model.json import JsonObject
from ductile.model.policy import WorkspaceMode
from ductile.model.run import Run, RunStatus
from ductile.storage.interfaces import Store
from tests.support.builders import (
    HASH,
    a_run,
    an_event,
    stored_child,
    stored_job,
    stored_run,
)
from tests.support.clock import START

LATER = START + timedelta(seconds=9)


# Events


def test_an_event_comes_back_as_it_was_written(store: Store) -> None:
    event = an_event(payload={"a": [1, None, {"ü": 0.5}]}, dedupe_key="k")
    store.write(lambda tx: tx.events.add(event))
    assert store.read(lambda tx: tx.events.get(event.id)) == event


def test_an_event_that_nobody_wrote_is_none(store: Store) -> None:
    assert store.read(lambda tx: tx.events.get(EventId(new_id()))) is None


def test_an_event_of_an_unknown_job_is_refused_by_name(store: Store) -> None:
    job = stored_job(store)
    event = an_event(chain_id=job.chain_id, job_id=JobId("nobody"))
    with pytest.raises(StorageError, match="job nobody"):
        store.write(lambda tx: tx.events.add(event))


def test_an_event_from_outside_cannot_join_another_chain(store: Store) -> None:
    job = stored_job(store)
    with pytest.raises(StorageError, match="an_event_from_outside_starts_its_chain"):
        store.write(lambda tx: tx.events.add(an_event(chain_id=job.chain_id)))


def test_an_event_whose_type_is_no_unicode_is_refused(store: Store) -> None:
    with pytest.raises(StorageError, match="cannot be stored"):
        store.write(lambda tx: tx.events.add(an_event(type="a\udcff")))


# Runs


def advanced(store: Store, run: Run, by: int, failure: str | None = None) -> Run:
    return store.write(lambda tx: tx.runs.advance(run.id, by=by, now=LATER, failure=failure))


def test_a_run_comes_back_as_it_was_written(store: Store) -> None:
    run = stored_run(store)
    assert store.read(lambda tx: tx.runs.get(run.id)) == run


def test_a_run_of_a_version_that_is_not_kept_is_refused_by_name(store: Store) -> None:
    event = an_event()
    store.write(lambda tx: tx.events.add(event))
    run = a_run(event, pipeline_hash=PipelineHash("blake3:other"))
    with pytest.raises(StorageError, match="pipeline version blake3:other"):
        store.write(lambda tx: tx.runs.add(run))


def test_a_run_goes_on_while_a_job_is_open(store: Store) -> None:
    run = advanced(store, stored_run(store, open_jobs=2), by=-1)
    assert (run.status, run.open_jobs, run.completed_at) == (RunStatus.RUNNING, 1, None)


def test_a_run_succeeds_when_its_last_job_ends(store: Store) -> None:
    run = advanced(store, stored_run(store), by=-1)
    assert (run.status, run.open_jobs, run.completed_at) == (RunStatus.SUCCEEDED, 0, LATER)


def test_a_run_with_a_failure_fails_when_its_last_job_ends(store: Store) -> None:
    run = stored_run(store, open_jobs=3)
    first = advanced(store, run, by=-1, failure="first")
    advanced(store, run, by=-1, failure="second")
    last = advanced(store, run, by=-1)
    assert [(each.status, each.reason) for each in (first, last)] == [
        (RunStatus.RUNNING, "first"),
        (RunStatus.FAILED, "first"),
    ]


def test_a_failure_without_words_is_a_failure(store: Store) -> None:
    assert advanced(store, stored_run(store), by=-1, failure="").status is RunStatus.FAILED


def test_a_run_that_is_over_does_not_advance(store: Store) -> None:
    run = advanced(store, stored_run(store), by=-1)
    with pytest.raises(StorageError, match="over: it succeeded"):
        advanced(store, run, by=1)


def test_a_run_cannot_close_more_jobs_than_are_open(store: Store) -> None:
    run = stored_run(store)
    with pytest.raises(StorageError, match="fewer open jobs"):
        advanced(store, run, by=-2)


def test_an_unknown_run_does_not_advance(store: Store) -> None:
    with pytest.raises(StorageError, match="does not exist"):
        store.write(lambda tx: tx.runs.advance(RunId("nobody"), by=-1, now=LATER))


def test_the_path_of_a_run_begins_with_the_outermost(store: Store) -> None:
    event = an_event()
    store.write(lambda tx: tx.events.add(event))
    outer = stored_run(store, event)
    middle = stored_run(store, event, depth=2, parent_run_id=outer.id)
    inner = stored_run(store, event, depth=3, parent_run_id=middle.id)
    stored_run(store, event, depth=2, parent_run_id=outer.id)
    assert store.read(lambda tx: tx.runs.path(inner.id)) == [outer, middle, inner]


# Versions


def test_a_version_that_is_kept_stays_as_it_is(store: Store) -> None:
    store.write(lambda tx: tx.versions.add(HASH, "wisdom", "first", START))
    store.write(lambda tx: tx.versions.add(HASH, "wisdom", "second", LATER))
    assert store.read(lambda tx: tx.versions.get(HASH)) == "first"


def test_a_version_that_is_not_kept_is_none(store: Store) -> None:
    assert store.read(lambda tx: tx.versions.get(HASH)) is None


# Artifacts


def a_file(path: str, change: Change = Change.ADDED, **fields: object) -> Artifact:
    content = {} if change is Change.REMOVED else {"size": 5, "mode": 0o444, "blake3": "ab" * 32}
    return Artifact(path, change, **{**content, **fields})  # type: ignore[arg-type]  # any field


def recorded(store: Store, job: Job, *artifacts: Artifact) -> None:
    store.write(lambda tx: tx.artifacts.add(job.id, artifacts))


def test_the_changes_of_a_job_come_back_by_path(store: Store) -> None:
    job = stored_job(store)
    first = a_file("a/ü.txt", mtime_ns=1_700_000_000_123_456_789)
    changes = [a_file("b", symlink=True), first, a_file("c", Change.REMOVED)]
    recorded(store, job, *changes)
    assert store.read(lambda tx: tx.artifacts.of_job(job.id)) == [first, changes[0], changes[2]]


def test_a_name_that_is_no_unicode_is_kept_byte_by_byte(store: Store) -> None:
    job = stored_job(store)
    odd = a_file("a/\udcff.bin")
    recorded(store, job, odd, a_file("z"))
    assert store.read(lambda tx: tx.artifacts.origin(job.id, odd.path)) == (job.id, odd)


def test_an_absolute_path_is_refused(store: Store) -> None:
    job = stored_job(store)
    with pytest.raises(StorageError, match="a_path_is_relative"):
        recorded(store, job, a_file("/etc/passwd"))


def test_one_path_changes_once_per_job(store: Store) -> None:
    job = stored_job(store)
    with pytest.raises(StorageError, match="UNIQUE"):
        recorded(store, job, a_file("a"), a_file("a"))


def test_artifacts_of_an_unknown_job_are_refused(store: Store) -> None:
    with pytest.raises(StorageError, match="of job nobody"):
        store.write(lambda tx: tx.artifacts.add(JobId("nobody"), [a_file("a")]))


def test_a_workspace_holds_what_its_line_of_jobs_made_of_it(store: Store) -> None:
    first = stored_job(store)
    second = stored_child(store, first)
    third = stored_child(store, second)
    recorded(store, first, a_file("kept"), a_file("gone"), a_file("new"))
    replaced = a_file("new", Change.REPLACED, size=7)
    recorded(store, second, replaced, a_file("gone", Change.REMOVED))
    recorded(store, third, a_file("gone"))
    held = store.read(lambda tx: tx.artifacts.held(second.id))
    assert held == {"kept": (first.id, a_file("kept")), "new": (second.id, replaced)}


def test_siblings_do_not_see_what_the_other_made(store: Store) -> None:
    parent = stored_job(store)
    left, right = stored_child(store, parent), stored_child(store, parent)
    recorded(store, left, a_file("left"))
    assert store.read(lambda tx: tx.artifacts.held(right.id)) == {}


@pytest.mark.parametrize("mode", [WorkspaceMode.CLONE, WorkspaceMode.COPY, WorkspaceMode.EMPTY])
def test_a_workspace_that_started_empty_holds_nothing_of_its_parent(
    store: Store, mode: WorkspaceMode
) -> None:
    parent = stored_job(store)
    recorded(store, parent, a_file("a"))
    child = stored_child(store, stored_child(store, parent, workspace=mode))
    held = store.read(lambda tx: tx.artifacts.held(child.id))
    origin = store.read(lambda tx: tx.artifacts.origin(child.id, "a"))
    inherits = mode is not WorkspaceMode.EMPTY
    assert ("a" in held, origin is not None) == (inherits, inherits)


def test_the_origin_of_a_path_is_the_job_that_wrote_it_last(store: Store) -> None:
    first = stored_job(store)
    second = stored_child(store, first)
    third = stored_child(store, second)
    recorded(store, first, a_file("a"))
    replaced = a_file("a", Change.REPLACED)
    recorded(store, second, replaced)
    assert store.read(lambda tx: tx.artifacts.origin(third.id, "a")) == (second.id, replaced)


def test_a_path_that_was_removed_has_no_origin(store: Store) -> None:
    first = stored_job(store)
    second = stored_child(store, first)
    recorded(store, first, a_file("a"))
    recorded(store, second, a_file("a", Change.REMOVED))
    assert store.read(lambda tx: tx.artifacts.origin(second.id, "a")) is None


def test_a_taint_remembers_who_was_caught_first(store: Store) -> None:
    owner = stored_job(store)
    recorded(store, owner, a_file("a"))
    first, second = stored_child(store, owner), stored_child(store, owner)
    store.write(lambda tx: tx.artifacts.taint(owner.id, "a", by=first.id))
    store.write(lambda tx: tx.artifacts.taint(owner.id, "a", by=second.id))
    (artifact,) = store.read(lambda tx: tx.artifacts.of_job(owner.id))
    assert artifact.tainted_by == first.id


def test_what_is_no_artifact_cannot_be_tainted(store: Store) -> None:
    job = stored_job(store)
    with pytest.raises(StorageError, match="no artifact 'a'"):
        store.write(lambda tx: tx.artifacts.taint(job.id, "a", by=job.id))


# Plugin states


def remembered(store: Store, updates: JsonObject, max_bytes: int = 100) -> None:
    store.write(lambda tx: tx.plugin_states.merge("echo", updates, max_bytes=max_bytes, now=START))


def test_a_plugin_that_never_ran_remembers_nothing(store: Store) -> None:
    assert store.read(lambda tx: tx.plugin_states.get("echo")) == {}


def test_what_a_plugin_remembers_is_merged_key_by_key(store: Store) -> None:
    remembered(store, {"cursor": 1, "seen": {"a": 1}})
    remembered(store, {"seen": {"b": 2}})
    assert store.read(lambda tx: tx.plugin_states.get("echo")) == {"cursor": 1, "seen": {"b": 2}}


def test_a_state_that_grows_too_large_is_refused_and_not_kept(store: Store) -> None:
    with pytest.raises(Refused, match=r'state of plugin "echo" may take 10 bytes'):
        remembered(store, {"a": "x" * 9}, max_bytes=10)
    assert store.read(lambda tx: tx.plugin_states.get("echo")) == {}
