"""The promises of the smaller records: events, versions, artifacts, plugin states."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ductile.errors import Refused, StorageError
from ductile.model.artifact import Change
from ductile.model.event import JOINED
from ductile.model.ids import EventId, JobId, new_id
from ductile.model.json import JsonObject
from ductile.model.policy import WorkspaceMode
from ductile.storage.interfaces import Store
from tests.support.builders import HASH, a_file, an_event, recorded, stored_child, stored_job
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


def test_an_event_of_the_core_may_come_from_no_job(store: Store) -> None:
    job = stored_job(store)
    event = an_event(type=JOINED, chain_id=job.chain_id)
    store.write(lambda tx: tx.events.add(event))
    assert store.read(lambda tx: tx.events.get(event.id)) == event


def test_an_event_whose_type_is_no_unicode_is_refused(store: Store) -> None:
    with pytest.raises(StorageError, match="cannot be stored"):
        store.write(lambda tx: tx.events.add(an_event(type="a\udcff")))


# Versions


def test_a_version_that_is_kept_stays_as_it_is(store: Store) -> None:
    store.write(lambda tx: tx.versions.add(HASH, "wisdom", "first", START))
    store.write(lambda tx: tx.versions.add(HASH, "wisdom", "second", LATER))
    assert store.read(lambda tx: tx.versions.get(HASH)) == "first"


def test_a_version_that_is_not_kept_is_none(store: Store) -> None:
    assert store.read(lambda tx: tx.versions.get(HASH)) is None


# Artifacts


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


def test_a_plugin_state_keeps_the_type_of_what_equals_another(store: Store) -> None:
    remembered(store, {"cursor": 1})
    remembered(store, {"cursor": True})
    assert store.read(lambda tx: tx.plugin_states.get("echo"))["cursor"] is True


def test_a_state_that_grows_too_large_is_refused_and_not_kept(store: Store) -> None:
    with pytest.raises(Refused, match=r'state of plugin "echo" may take 10 bytes'):
        remembered(store, {"a": "x" * 9}, max_bytes=10)
    assert store.read(lambda tx: tx.plugin_states.get("echo")) == {}
