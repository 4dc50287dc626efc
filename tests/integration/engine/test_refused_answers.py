"""Answers that break a rule of the core: the job fails, and nothing of them is kept."""

from __future__ import annotations

from typing import Any

import pytest

from ductile.model.job import JobStatus
from tests.support.scripts import OK, answer, emits
from tests.support.site import Chain, Running, Site


def nothing_kept(running: Running, chain: Chain) -> bool:
    """Whether the ledger holds no more than an event from outside and its one job."""
    records = chain.records
    [job] = records.jobs
    state = running.gateway.store.read(lambda tx: tx.plugin_states.get(job.plugin))
    return (
        len(records.events) == len(records.contexts) == 1
        and state == {}
        and not records.artifacts.get(job.id)
    )


TOUCHES = {
    "a changed key": answer(state_updates={"origin_source": "forged", "kept": 1}),
    "an added key": answer(state_updates={"origin_new": 1, "kept": 1}),
    "a changed key in an event": answer(
        state_updates={"kept": 1},
        events=[{"type": "fine"}, {"type": "found", "payload": {"origin_event_id": "x"}}],
    ),
    "an added key in an event": answer(
        state_updates={"kept": 1},
        events=[{"type": "fine"}, {"type": "found", "payload": {"origin_new": 1}}],
    ),
}


@pytest.mark.parametrize("script", TOUCHES.values(), ids=TOUCHES)
def test_touching_the_anchor_fails_the_job_at_once_and_nothing_is_kept(
    site: Site, script: str
) -> None:
    site.plugin("touch", f"echo made >artifact\n{script}")
    site.plugin("end", OK)
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: touch}, {uses: end}]}
        - {name: q, on: found, steps: [{uses: end}]}
        - {name: r, on: fine, steps: [{uses: end}]}
        """
    )
    with site.running() as running:
        chain = running.finish("go")
        assert nothing_kept(running, chain)
    [job] = chain.jobs
    assert (job.status, job.attempt) == (JobStatus.FAILED, 1)
    assert '"origin_' in str(job.last_error)
    assert [run.status for run in chain.records.runs] == ["failed"]


def test_repeating_the_values_of_the_anchor_is_allowed(site: Site) -> None:
    site.plugin(
        "repeat",
        """
        source=$(sed 's/.*"origin_source":"\\([^"]*\\)".*/\\1/')
        echo '{"status":"ok","state_updates":{"origin_source":"'"$source"'","kept":true},
              "events":[{"type":"found","payload":{"origin_source":"'"$source"'"}}]}'
        """,
    )
    site.plugin("end", OK)
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: repeat}]}
        - {name: q, on: found, steps: [{uses: end}]}
        """
    )
    with site.running() as running:
        chain = running.finish("go")
    assert [job.status for job in chain.jobs] == ["succeeded", "succeeded"]
    assert chain.baggage_of(chain.job("end"))["kept"] is True


def test_an_event_that_starts_nothing_may_say_what_it_likes(site: Site) -> None:
    site.plugin("say", emits(("nobody.listens", {"origin_source": "a quotation"})))
    site.pipeline("- {name: p, on: go, steps: [{uses: say}]}")
    with site.running() as running:
        chain = running.finish("go")
    assert chain.job("say").status is JobStatus.SUCCEEDED


@pytest.mark.parametrize("part", ["state_updates", "event"])
def test_baggage_over_the_limit_fails_the_job_and_names_the_largest_keys(
    site: Site, part: str
) -> None:
    site.config["service"] = {"max_baggage": "1KiB"}
    large = {"large": 900 * "x", "larger": 950 * "x", "small": 1}
    fields: dict[str, Any] = (
        {"state_updates": large}
        if part == "state_updates"
        else {"events": [{"type": "found", "payload": large}]}
    )
    site.plugin("pack", answer(**fields))
    site.plugin("end", OK)
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: pack}]}
        - {name: q, on: found, steps: [{uses: end}]}
        """
    )
    with site.running() as running:
        chain = running.finish("go")
        assert nothing_kept(running, chain)
    [job] = chain.jobs
    assert (job.status, job.attempt) == (JobStatus.FAILED, 1)
    assert '"larger" (952 bytes), "large" (902 bytes)' in str(job.last_error)
