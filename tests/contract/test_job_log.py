"""What `JobQueue` promises of the end of an attempt: its log, and what a success wrote."""

from __future__ import annotations

import pytest

from ductile.errors import LeaseLost, StorageError
from ductile.model.ids import ContextId, new_id
from ductile.model.job import JobStatus
from ductile.model.outcome import LogLine, Response, Succeeded
from ductile.queue.interfaces import JobQueue
from ductile.storage.interfaces import Store, Transaction
from tests.support.builders import a_context, an_attempt, claimed, stored_job
from tests.support.clock import START


def test_an_attempt_is_logged_with_all_its_evidence(store: Store) -> None:
    stored_job(store)
    (job,) = claimed(store)
    attempt = an_attempt(
        Succeeded(Response("fine")),
        exit_code=0,
        result="fine",
        logs=(LogLine("info", "hello"), LogLine("warn", "ü")),
        stderr="noise\n",
    )
    store.write(lambda tx: tx.jobs.log(job.claim, attempt, status="succeeded"))
    (record,) = store.read(lambda tx: tx.views.chain(job.chain_id)).attempts
    assert (record.logs, record.stderr, record.result, record.error, record.exit_code) == (
        attempt.logs,
        "noise\n",
        "fine",
        None,
        0,
    )


def test_text_that_is_no_unicode_does_not_keep_an_attempt_from_being_logged(store: Store) -> None:
    stored_job(store)
    (job,) = claimed(store)
    store.write(lambda tx: tx.jobs.log(job.claim, an_attempt(stderr="a\udcffb"), status="failed"))
    (record,) = store.read(lambda tx: tx.views.chain(job.chain_id)).attempts
    assert record.stderr.startswith("a�")


def test_an_attempt_is_logged_once(store: Store) -> None:
    stored_job(store)
    (job,) = claimed(store)
    store.write(lambda tx: tx.jobs.log(job.claim, an_attempt(), status="failed"))
    with pytest.raises(LeaseLost):
        store.write(lambda tx: tx.jobs.log(job.claim, an_attempt(), status="failed"))


def test_an_attempt_that_a_later_one_has_followed_is_not_logged(store: Store) -> None:
    stored_job(store)
    (job,) = claimed(store)
    store.write(lambda tx: tx.jobs.give_back(job.claim, error="e"))
    claimed(store)
    with pytest.raises(LeaseLost):
        store.write(lambda tx: tx.jobs.log(job.claim, an_attempt(), status="failed"))


def test_an_attempt_is_logged_after_it_settled_in_the_same_transaction(store: Store) -> None:
    stored_job(store)
    (job,) = claimed(store)

    def settle(jobs: JobQueue) -> None:
        jobs.finish(job.claim, JobStatus.FAILED, now=START, error="no luck")
        jobs.log(job.claim, an_attempt(), status="failed")

    store.write(lambda tx: settle(tx.jobs))
    assert len(store.read(lambda tx: tx.views.chain(job.chain_id)).attempts) == 1


def test_a_success_names_the_context_that_it_wrote(store: Store) -> None:
    stored_job(store)
    [job] = claimed(store)
    written = a_context()

    def work(tx: Transaction) -> None:
        tx.contexts.add(written)
        tx.jobs.finish(job.claim, JobStatus.SUCCEEDED, now=START, wrote=written.id)

    store.write(work)
    settled = store.read(lambda tx: tx.jobs.get(job.id))
    assert settled is not None
    assert settled.result_context_id == written.id


def test_a_context_that_was_not_written_is_nobodys_result(store: Store) -> None:
    stored_job(store)
    [job] = claimed(store)
    with pytest.raises(StorageError):
        store.write(
            lambda tx: tx.jobs.finish(
                job.claim, JobStatus.SUCCEEDED, now=START, wrote=ContextId(new_id())
            )
        )
