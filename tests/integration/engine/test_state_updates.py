"""What a plugin adds to the baggage, and what it remembers from one run to the next."""

from __future__ import annotations

import pytest

from ductile.model.job import JobStatus
from ductile.telemetry.signals import BaggageKeyQuestioned
from tests.integration.engine.test_baggage import request_of
from tests.integration.engine.test_refused_answers import nothing_kept
from tests.support.scripts import KEEP_REQUEST, OK, answer, updates
from tests.support.site import Site


def test_a_system_key_is_merged_with_a_warning_that_names_plugin_job_and_key(site: Site) -> None:
    site.plugin("odd", updates(payload=1, ductile_internal=2, fine=3))
    site.pipeline("- {name: p, on: go, steps: [{uses: odd}]}")
    with site.running() as running:
        chain = running.finish("go")
        warnings = running.signals.of(BaggageKeyQuestioned)
    job = chain.job("odd")
    assert [(each.job, each.plugin, each.key, each.done) for each in warnings] == [
        (job.id, "odd", "payload", "merged"),
        (job.id, "odd", "ductile_internal", "dropped"),
    ]
    written = chain.written_by(job)
    assert (written["payload"], written["fine"]) == (1, 3)
    assert "ductile_internal" not in written


def test_the_jobs_own_log_tells_of_questioned_keys(site: Site) -> None:
    site.plugin(
        "odd", answer(state_updates={"config": 1}, logs=[{"level": "info", "message": "its own"}])
    )
    site.pipeline("- {name: p, on: go, steps: [{uses: odd}]}")
    with site.running() as running:
        [attempt] = running.finish("go").records.attempts
    assert [line.level for line in attempt.logs] == ["info", "warn"]
    assert '"config"' in attempt.logs[1].message


def test_state_updates_are_handed_back_to_the_next_run_merged_by_top_level_key(site: Site) -> None:
    site.plugin(
        "remember",
        f"""
        {KEEP_REQUEST}
        if grep -q '"state":{{}}' request.json
        then {updates(seen={"a": 1}, first=True).strip()}
        else {updates(seen={"b": 2}).strip()}
        fi
        """,
    )
    site.plugin("other", KEEP_REQUEST + answer())
    site.pipeline("- {name: p, on: go, steps: [{uses: remember}, {uses: other}]}")
    with site.running() as running:
        for _ in range(2):
            running.finish("go")
        chain = running.finish("go")
        given = request_of(running, chain.job("remember"))["state"]
        others = request_of(running, chain.job("other"))["state"]
    assert given == {"seen": {"b": 2}, "first": True}
    assert others == {}, "what one plugin remembers is no business of another's"


@pytest.mark.parametrize(
    ("command", "private"),
    [
        ({"name": "poll", "type": "read"}, True),
        ({"name": "poll", "type": "read", "state": "baggage"}, False),
        ({"name": "handle", "type": "write", "state": "private"}, True),
        ({"name": "handle", "type": "write"}, False),
    ],
)
def test_private_state_is_remembered_and_kept_out_of_the_baggage(
    site: Site, command: dict[str, str], private: bool
) -> None:
    site.plugin("collect", updates(cursor=7), commands=[command])
    site.plugin("end", OK)
    step = f"collect.{command['name']}"
    site.pipeline(f"- {{name: p, on: go, steps: [{{id: c, uses: {step}}}, {{uses: end}}]}}")
    with site.running() as running:
        chain = running.finish("go")
        state = running.gateway.store.read(lambda tx: tx.plugin_states.get("collect"))
    assert state == {"cursor": 7}
    assert ("cursor" in chain.baggage_of(chain.job("end"))) is not private


def test_state_that_grows_too_large_fails_the_job_and_nothing_is_kept(site: Site) -> None:
    # Private, so that the limit of the baggage is not what is met.
    site.plugin(
        "hoard",
        """
        printf '{"status":"ok","state_updates":{"hoard":"'
        head -c 1100000 /dev/zero | tr '\\0' x
        printf '"}}'
        """,
        commands=[{"name": "poll", "type": "read"}],
    )
    site.pipeline("- {name: p, on: go, steps: [{uses: hoard.poll}]}")
    with site.running() as running:
        chain = running.finish("go")
        assert nothing_kept(running, chain)
    assert (chain.jobs[0].status, chain.jobs[0].attempt) == (JobStatus.FAILED, 1)
