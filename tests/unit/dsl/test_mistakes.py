from __future__ import annotations

import pytest

from ductile.documents.problems import Problem
from ductile.documents.render import render
from ductile.documents.yaml import parse
from ductile.dsl.compiler import compile_documents
from tests.unit.dsl.builders import Plugins, a_document, problems_of, steps_text


def position(problem: Problem) -> tuple[str, int, int]:
    assert problem.place is not None
    return problem.place.file, problem.place.line, problem.place.column


@pytest.mark.parametrize(
    ("steps", "message", "hint"),
    [
        ("[{uses: fetsh}]", 'no plugin named "fetsh"', 'did you mean "fetch"?'),
        (
            "[{uses: zzz}]",
            'no plugin named "zzz"',
            'known are "archive", "echo", "fetch", "notify", "summary"',
        ),
        (
            "[{uses: fetch.pol}]",
            'plugin "fetch" has no command "pol"',
            'did you mean "poll"?',
        ),
        (
            "[{uses: asleep}]",
            'plugin "asleep" is disabled',
            'set "enabled: true" for it under "plugins", or remove the step',
        ),
        (
            "[{uses: 'fetch.'}]",
            '"fetch." is not of the form "plugin" or "plugin.command"',
            'use letters, digits, "_" and "-", and begin with a letter or a digit; '
            "put one dot before the command",
        ),
        ("[{call: q}]", 'no pipeline named "q"', 'known are "p"'),
        (
            "[{id: x}]",
            'a step needs one of "uses", "call", "split" and "steps", found none',
            'write "uses: " and the name of a plugin',
        ),
        (
            "[{uses: echo, split: [{uses: echo}]}]",
            'a step is only one of "uses", "call", "split" and "steps", found "uses" and "split"',
            "make a step of each",
        ),
        (
            "[{split: [{uses: echo}], timeout: 5s}]",
            '"timeout" belongs to a step that uses a plugin',
            'move it to the steps that have "uses"',
        ),
        ("[{use: echo}]", 'unknown key "use" in a step', 'did you mean "uses"?'),
        ("[{uses: [echo]}]", "expected text, found a list", None),
        ("[{uses: }]", "expected text, found nothing", None),
        (
            "[{uses: echo, timeout: }]",
            "nothing is not a duration",
            "write a number and a unit: 30s, 5m, 2h",
        ),
        ("[]", "expected something, found an empty list", None),
        ("[{split: []}]", "expected something, found an empty list", None),
        ("[{steps: []}]", "expected something, found an empty list", None),
        (
            "[{uses: echo, id: a/b}]",
            '"a/b" is not an id',
            'use letters, digits, "_" and "-", and begin with a letter or a digit',
        ),
        (
            "[{uses: echo, timeout: 5 minuts}]",
            '"5 minuts" is not a duration',
            "write a number and a unit: 30s, 5m, 2h",
        ),
        (
            "[{uses: echo, workspace: clon}]",
            'expected "clone", "copy" or "empty", found "clon"',
            'did you mean "clone"?',
        ),
        (
            "[{uses: echo, retry: {max_attempts: 0}}]",
            "expected 1 or more, found the number 0",
            None,
        ),
        (
            "[{uses: echo, retry: {attempts: 2}}]",
            'unknown key "attempts" in retry',
            'did you mean "max_attempts"?',
        ),
        (
            "[{uses: echo, id: a}, {uses: echo, id: a}]",
            'step id "a" stands twice in one pipeline',
            "rename one; the first is in line 2",
        ),
        (
            "[{uses: echo, id: a}, {id: a, steps: [{uses: echo}]}]",
            'step id "a" stands twice in one pipeline',
            "rename one; the first is in line 2",
        ),
        (
            "[{call: p}]",
            'pipeline "p" calls itself: p -> p',
            "remove the call, or put the repeated steps in a pipeline of their own",
        ),
    ],
)
def test_a_mistake_is_told_with_a_remedy(steps: str, message: str, hint: str | None) -> None:
    (problem,) = problems_of(steps_text(steps))
    assert (problem.message, problem.hint) == (message, hint)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{on: a, steps: [{uses: echo}]}", 'missing key "name" in a pipeline'),
        ("{name: p, steps: [{uses: echo}]}", 'missing key "on" in a pipeline'),
        ("{name: p, on: a}", 'missing key "steps" in a pipeline'),
        ("{name: a b, on: a, steps: [{uses: echo}]}", '"a b" is not a name'),
        ("{name: a.b, on: a, steps: [{uses: echo}]}", '"a.b" is not a name'),
        ("{name: p, on: a..b, steps: [{uses: echo}]}", '"a..b" is not an event type'),
        ("{name: p, on: a, steps: {uses: echo}}", "expected a list, found a mapping"),
        ("{name: p, on: a, steps: [echo]}", 'expected a mapping, found "echo"'),
        (
            "{name: p, on: ductile.step.succeeded, steps: [{uses: echo}]}",
            'event types that begin with "ductile." belong to the core',
        ),
        ("{name: p, on: a, step: 1, steps: [{uses: echo}]}", 'unknown key "step" in a pipeline'),
        ("5", "expected a mapping, found the number 5"),
    ],
)
def test_a_mistake_in_a_pipeline_is_told(text: str, message: str) -> None:
    (problem,) = problems_of(f"pipelines: [{text}]")
    assert problem.message == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pipeline: []", 'unknown key "pipeline" in a file of pipelines'),
        ("[]", "expected a mapping, found a list"),
        ("pipelines: []", "expected something, found an empty list"),
        ("pipelines:", "expected a list, found nothing"),
    ],
)
def test_a_mistake_in_a_file_is_told(text: str, message: str) -> None:
    assert message in [problem.message for problem in problems_of(text)]


def test_names_may_not_grow_without_end() -> None:
    (problem,) = problems_of(steps_text("[{uses: echo}]", "x" * 65))
    assert problem.hint == "use 64 characters or less"


def test_two_pipelines_of_one_name_are_refused_wherever_they_are() -> None:
    (problem,) = problems_of(steps_text("[{uses: echo}]"), steps_text("[{uses: fetch}]"))
    assert problem.message == 'pipeline "p" exists already'
    assert problem.hint == "rename one; the first is at 0.yaml:2:10"
    assert position(problem) == ("1.yaml", 2, 10)


def test_a_circle_of_calls_is_told_with_its_whole_path_at_the_call_that_closes_it() -> None:
    (problem,) = problems_of(
        steps_text("[{call: loop}]", "start"),
        steps_text("[{uses: echo}, {call: b}]", "loop"),
        steps_text("[{split: [{uses: echo}, {call: loop}]}]", "b"),
    )
    assert problem.message == 'pipeline "loop" calls itself: loop -> b -> loop'
    assert position(problem) == ("2.yaml", 2, 64)


def test_a_long_circle_is_found() -> None:
    texts = [steps_text(f"[{{call: p{(n + 1) % 2000}}}]", f"p{n}") for n in range(2000)]
    circles = [p for p in problems_of(*texts) if "calls itself" in p.message]
    assert len(circles) == 1


def test_calls_that_are_nested_too_deep_are_refused_once() -> None:
    texts = [steps_text(f"[{{call: p{n + 1}}}]", f"p{n}") for n in range(40)]
    (problem,) = problems_of(*texts, steps_text("[{uses: echo}]", "p40"))
    assert problem.message == "more than 32 calls are nested here"


def test_calls_that_multiply_the_steps_are_refused() -> None:
    texts = [
        steps_text(f"[{{call: p{n + 1}}}, {{call: p{n + 1}, id: b}}]", f"p{n}") for n in range(20)
    ]
    messages = [p.message for p in problems_of(*texts, steps_text("[{uses: echo}]", "p20"))]
    assert messages[0].endswith("comes to 1024 steps with all that it calls; the limit is 1000")


def test_steps_that_are_nested_too_deep_are_refused() -> None:
    text = steps_text("[{steps: " * 40 + "[{uses: echo}]" + "}]" * 40)
    _, (problem,) = parse(text, "a.yaml")
    assert problem.message == "more than 64 levels are nested here"


def test_every_mistake_of_every_file_is_reported_at_once_in_order() -> None:
    problems = problems_of(
        """\
        pipelines:
          - name: first
            on: started
            steps:
              - uses: fetsh
                whit: {}
                timeout: 5 minuts
              - split:
                  - uses: echo
                  - uses: echo.polll
              - uses: notify
              - call: nowhere
        """,
        """\
        pipelines:
          - name: first
            on: ductile.x
            steps: []
          - nmae: second
        """,
    )
    assert [position(problem) for problem in problems] == [
        ("0.yaml", 5, 15),
        ("0.yaml", 6, 9),
        ("0.yaml", 7, 18),
        ("0.yaml", 10, 19),
        ("0.yaml", 12, 15),
        ("1.yaml", 2, 11),
        ("1.yaml", 3, 9),
        ("1.yaml", 4, 12),
        ("1.yaml", 5, 5),
        ("1.yaml", 5, 5),
        ("1.yaml", 5, 5),
        ("1.yaml", 5, 5),
    ]


def test_a_mistake_is_shown_with_its_line() -> None:
    problems = problems_of("pipelines:\n- name: p\n  on: x\n  steps:\n    - uses: fetsh\n")
    assert render(problems) == (
        '0.yaml:5:13: no plugin named "fetsh"\n'
        "    5 |     - uses: fetsh\n"
        "      |             ^^^^^\n"
        '      = did you mean "fetch"?\n'
        "\n"
        "1 problem in 1 file. Nothing was loaded.\n"
    )


def test_without_any_plugin_the_remedy_is_where_plugins_are_put() -> None:
    document = a_document(steps_text("[{uses: echo}]"))
    _, (problem,) = compile_documents([document], Plugins({}))
    assert problem.hint == "put its folder into one of the plugin roots"


def test_where_files_are_missing_an_unknown_pipeline_is_not_reported() -> None:
    document = a_document(steps_text("[{call: elsewhere}]"))
    _, problems = compile_documents([document], Plugins(), complete=False)
    assert problems == []
