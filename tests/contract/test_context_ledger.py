"""The promises of `ContextLedger`."""

from __future__ import annotations

import pytest

from ductile.errors import Refused, StorageError
from ductile.model.context import Context
from ductile.model.ids import ContextId, RunId, new_id
from ductile.model.json import decode
from ductile.storage.interfaces import Store, Transaction
from tests.support.builders import a_context, stored_run


def added(store: Store, *contexts: Context) -> None:
    def work(tx: Transaction) -> None:
        for context in contexts:
            tx.contexts.add(context)

    store.write(work)


def test_a_context_comes_back_as_it_was_written(store: Store) -> None:
    context = a_context(baggage={"a": [1, 2.5, None, {"ü": "\u0000"}], "b": True})
    added(store, context)
    assert store.read(lambda tx: tx.contexts.get(context.id)) == context


def test_a_context_of_a_run_remembers_version_and_step(store: Store) -> None:
    run = stored_run(store)
    root = a_context()
    context = a_context(
        root,
        run_id=run.id,
        pipeline_hash=run.pipeline_hash,
        step_id="summary",
    )
    added(store, root, context)
    assert store.read(lambda tx: tx.contexts.get(context.id)) == context


def test_a_context_that_nobody_wrote_is_none(store: Store) -> None:
    assert store.read(lambda tx: tx.contexts.get(ContextId(new_id()))) is None


def test_a_context_without_its_parent_is_refused_by_name(store: Store) -> None:
    parent = a_context()
    with pytest.raises(StorageError, match=f"parent context {parent.id}"):
        added(store, a_context(parent))


def test_a_root_that_names_a_parent_is_refused(store: Store) -> None:
    with pytest.raises(StorageError):
        added(store, a_context(parent_id=ContextId(new_id())))


def test_a_context_of_an_unknown_run_is_refused_by_name(store: Store) -> None:
    run_id = RunId(new_id())
    with pytest.raises(StorageError, match=f"run {run_id}"):
        added(store, a_context(run_id=run_id))


def test_a_context_is_written_once(store: Store) -> None:
    context = a_context()
    added(store, context)
    with pytest.raises(StorageError, match="cannot be stored"):
        added(store, context)


def test_a_child_that_claims_to_be_a_root_is_refused(store: Store) -> None:
    root = a_context()
    added(store, root)
    with pytest.raises(StorageError, match="a_root_is_hop_0"):
        added(store, a_context(root, hop=0))


def test_baggage_that_cannot_be_written_is_refused(store: Store) -> None:
    context = a_context(baggage={"deep": decode("[" * 500 + "]" * 500)})
    with pytest.raises(Refused, match="nested 200 levels deep"):
        added(store, context)


def test_lineage_leads_from_the_root_to_the_row(store: Store) -> None:
    root = a_context()
    middle = a_context(root)
    leaf, sibling = a_context(middle), a_context(middle)
    added(store, root, middle, leaf, sibling)
    assert store.read(lambda tx: tx.contexts.lineage(leaf.id)) == [root, middle, leaf]


def test_the_lineage_of_nothing_is_empty(store: Store) -> None:
    assert list(store.read(lambda tx: tx.contexts.lineage(ContextId(new_id())))) == []
