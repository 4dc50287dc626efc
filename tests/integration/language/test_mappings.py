"""`with`, `baggage` and `on_events`: what a step gets, keeps and leads to."""

from __future__ import annotations

from typing import Any

import pytest

from ductile.model.job import JobStatus
from tests.integration.language.seen import request_of, times
from tests.support.scripts import answer, emits, fails, updates
from tests.support.site import Site


def payload_made(site: Site, template: str, payload: dict[str, Any]) -> dict[str, Any]:
    """What `keep` gets as payload."""
    site.config["plugins"] = {"keep": {"config": {"lang": "de"}}}
    site.pipeline(f"- {{name: p, on: go, steps: [{{uses: keep, with: {template}}}]}}")
    with site.running() as running:
        chain = running.finish("go", payload)
        found: dict[str, Any] = request_of(running, chain.job("keep"))["event"]["payload"]
    return found


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ('"{payload.n}"', 3),
        ('"{payload.list}"', [1, {"a": None}]),
        ('"{payload.list.1.a}"', None),
        ('"n is {payload.n}, list {payload.list}"', 'n is 3, list [1,{"a":null}]'),
        ('"{payload.none|en}"', "en"),
        ('"{payload.none|7}"', 7),
        ('"<{payload.none?}>"', "<>"),
        ('"{{payload.n}}"', "{payload.n}"),
        ('"{config.lang}"', "de"),
        ('"{run.pipeline}.{run.step}"', "p.keep"),
        ('"{context.n}"', 3),
    ],
)
def test_a_template_makes_the_payload(site: Site, template: str, made: object) -> None:
    found = payload_made(site, f"{{x: {template}}}", {"n": 3, "list": [1, {"a": None}]})
    assert found["x"] == made


def test_what_a_template_leaves_out_is_no_key(site: Site) -> None:
    found = payload_made(site, '{x: "{payload.none?}", y: 1}', {})
    assert ("x" in found, found["y"]) == (False, 1)


def test_a_template_is_laid_over_the_payload(site: Site) -> None:
    found = payload_made(site, '{a: "{payload.b}"}', {"a": 1, "b": 2})
    assert (found["a"], found["b"]) == (2, 2)


def test_a_missing_path_fails_the_job_at_once_and_is_named(site: Site) -> None:
    site.pipeline('- {name: p, on: go, steps: [{uses: keep, with: {x: "{payload.a.b}"}}]}')
    with site.running() as running:
        job = running.finish("go", {"a": {"c": 1}}).job("keep")
    assert (job.status, job.attempt) == (JobStatus.FAILED, 1)
    assert "payload.a.b" in str(job.last_error)


def test_templates_see_the_failure(site: Site) -> None:
    site.pipeline(
        """
        - name: p
          on: go
          steps: [{uses: bad}]
          on_failure:
            - uses: keep
              with:
                text: "{failure.pipeline} {failure.step} {failure.plugin} {failure.attempts}"
                error: "{failure.error}"
                job: "{failure.job_id}"
        """
    )
    with site.running() as running:
        chain = running.finish("go")
        payload = request_of(running, chain.job("keep"))["event"]["payload"]
    assert (payload["text"], payload["error"]) == ("p bad bad 1", "no luck")
    assert payload["job"] == chain.job("bad").id


def test_what_a_template_makes_is_not_handed_on(site: Site) -> None:
    site.pipeline(
        """
        - {name: p, on: go, steps: [{uses: one, with: {x: 1}}, {uses: keep}]}
        """
    )
    with site.running() as running:
        chain = running.finish("go")
        payload = request_of(running, chain.job("keep"))["event"]["payload"]
    assert "x" not in payload


# Baggage


def baggage_after(site: Site, script: str, keeps: str) -> dict[str, Any]:
    site.plugin("work", script)
    site.pipeline(f"- {{name: p, on: go, steps: [{{uses: work, baggage: {keeps}}}, {{uses: ok}}]}}")
    with site.running() as running:
        chain = running.finish("go", {"report": {"id": 1}})
        read = dict(chain.baggage_of(chain.job("ok")))
    return read


def test_only_what_is_declared_goes_into_the_baggage(site: Site) -> None:
    read = baggage_after(site, updates(a=1, b=2), "{x: payload.a}")
    assert (read["x"], "a" in read, "b" in read) == (1, False, False)


def test_nothing_goes_into_the_baggage_where_nothing_is_declared(site: Site) -> None:
    read = baggage_after(site, updates(a=1), "{}")
    assert "a" not in read


def test_a_dotted_key_keeps_what_is_beside_it(site: Site) -> None:
    read = baggage_after(
        site, updates(u="http", s=9), "{report.url: payload.u, report.size: payload.s}"
    )
    assert read["report"] == {"id": 1, "url": "http", "size": 9}


def test_the_payloads_of_events_may_go_into_the_baggage(site: Site) -> None:
    read = baggage_after(site, emits(("found", {"n": 4})), "{n: payload.n}")
    assert read["n"] == 4


def test_a_declared_value_that_the_response_did_not_bring_fails_the_job(site: Site) -> None:
    site.plugin("work", updates(a=1))
    site.pipeline("- {name: p, on: go, steps: [{uses: work, baggage: {x: payload.b}}]}")
    with site.running() as running:
        job = running.finish("go").job("work")
    assert (job.status, job.attempt) == (JobStatus.FAILED, 1)
    assert 'baggage "x" of step "work"' in str(job.last_error)


# Routes


MODERATION = """
    - name: p
      on: go
      steps:
        - id: check
          uses: check
          on_events:
            high: [publish]
            low: [review]
            both: [review, publish]
            {others}
        - {{id: review, uses: ok, on_events: {{"ductile.step.succeeded": []}}}}
        - {{id: publish, uses: ok}}
    """


@pytest.mark.parametrize(
    ("event_type", "others", "ran"),
    [
        ("high", "", {"publish"}),
        ("low", "", {"review"}),
        ("both", "", {"review", "publish"}),
        ("odd", "", set()),
        ("odd", '"*": [publish]', {"publish"}),
        ("high", '"*": [review]', {"publish"}),
    ],
)
def test_an_event_leads_to_the_steps_of_its_type(
    site: Site, event_type: str, others: str, ran: set[str]
) -> None:
    site.plugin("check", emits((event_type, {})))
    site.pipeline(MODERATION.format(others=others))
    with site.running() as running:
        chain = running.finish("go")
    assert set(times(chain)) == {"check", *ran}


@pytest.mark.parametrize(("others", "ran"), [("", set()), ('"*": [publish]', {"publish"})])
def test_a_step_that_emits_nothing_is_routed_as_well(
    site: Site, others: str, ran: set[str]
) -> None:
    site.plugin("check", answer())
    site.pipeline(MODERATION.format(others=others))
    with site.running() as running:
        chain = running.finish("go")
    assert set(times(chain)) == {"check", *ran}


def test_several_events_lead_to_several_steps(site: Site) -> None:
    site.plugin("check", emits(("high", {}), ("low", {}), ("odd", {}), ("high", {})))
    site.pipeline(MODERATION.format(others=""))
    with site.running() as running:
        chain = running.finish("go")
    assert times(chain) == {"check": 1, "publish": 2, "review": 1}


def test_a_branch_may_lead_to_the_step_after_its_split_which_waits(site: Site) -> None:
    site.plugin("check", emits(("high", {}), ("high", {})))
    site.pipeline(
        """
        - name: p
          on: go
          steps:
            - split:
                - {uses: check, on_events: {high: [after]}}
                - uses: two
            - {id: after, uses: ok}
        """
    )
    with site.running() as running:
        chain = running.finish("go")
    assert times(chain) == {"check": 1, "two": 1, "after": 1}


def test_a_join_that_nothing_was_led_to_does_not_go_on(site: Site) -> None:
    site.plugin("check", emits(("odd", {})))
    site.pipeline(
        """
        - name: p
          on: go
          steps:
            - {uses: check, on_events: {high: [work]}}
            - {id: work, uses: ok}
            - {id: after, uses: ok, join: all}
        """
    )
    with site.running() as running:
        chain = running.finish("go")
    assert times(chain) == {"check": 1}


def test_a_failing_step_leads_nowhere_whatever_it_emits(site: Site) -> None:
    site.plugin("check", fails(retry=False))
    site.pipeline(MODERATION.format(others='"*": [publish]'))
    with site.running() as running:
        chain = running.finish("go")
    assert times(chain) == {"check": 1}
