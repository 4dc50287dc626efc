from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal, Self

import pytest
from pydantic import Field, ValidationError, model_validator

from ductile.documents.problems import BadValue, Problem
from ductile.documents.scalars import ByteSize, Duration
from ductile.documents.validation import M, Schema, validate
from ductile.documents.yaml import Document, parse
from ductile.model.policy import WorkspaceMode


class Retry(Schema):
    noun: ClassVar[str] = "retry"

    max_attempts: Annotated[int, Field(ge=1, le=9)] = 4
    factor: float = 2.0


class Step(Schema):
    noun: ClassVar[str] = "a step"

    uses: str
    with_: dict[str, int] = Field({}, alias="with")
    timeout: Duration = timedelta(0)
    max_body: ByteSize = 1
    workspace: WorkspaceMode = WorkspaceMode.CLONE
    type: Literal["read", "write"] = "read"
    retry: Retry | None = None
    quiet: bool = False
    limit: int | Literal["none"] = 1
    split: tuple[Step, ...] = ()


class File(Schema):
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    by_name: dict[str, Step] = Field(default_factory=dict)


class Named(Schema):
    by_name: dict[Annotated[str, Field(pattern="^[a-z]+$")], int]


class Endpoint(Schema):
    event: str = ""
    plugin: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.event and self.plugin:
            raise BadValue('found both "event" and "plugin"', "remove one", at=("plugin",))
        return self


def a_document(text: str) -> Document:
    document, problems = parse(text, "a.yaml")
    assert problems == []
    assert document is not None
    return document


def problems_of(text: str, model: type[M]) -> list[Problem]:
    value, problems = validate(model, a_document(text))
    assert value is None
    return problems


def at(problem: Problem) -> tuple[int, int]:
    assert problem.place is not None
    return problem.place.line, problem.place.column


def test_a_document_that_fits_becomes_a_value() -> None:
    text = "steps: [{uses: a, with: {x: 1}, timeout: 5m, workspace: copy, limit: none}]"
    value, problems = validate(File, a_document(text))
    assert problems == []
    assert value is not None
    (step,) = value.steps
    assert (step.uses, step.with_, step.timeout) == ("a", {"x": 1}, timedelta(minutes=5))
    assert (step.workspace, step.limit) == (WorkspaceMode.COPY, "none")


def test_a_value_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Retry().max_attempts = 5


def test_a_part_of_a_document_is_validated_by_itself() -> None:
    document = a_document("a: {steps: x}\nb:\n  c: {max_attempts: 0}")
    _, problems = validate(Retry, document, at=("b", "c"))
    assert [at(problem) for problem in problems] == [(3, 21)]


def test_a_part_that_is_not_there_is_a_problem() -> None:
    _, problems = validate(Retry, a_document("a: 1"), at=("b",))
    assert [problem.message for problem in problems] == ["expected a mapping, found nothing"]


def test_an_unknown_key_is_a_problem_at_the_key() -> None:
    (problem,) = problems_of("steps:\n  - uses: a\n    whit: {}", File)
    assert problem.message == 'unknown key "whit" in a step'
    assert problem.hint == 'did you mean "with"?'
    assert at(problem) == (3, 5)


@pytest.mark.parametrize(
    "text",
    [
        "steps: [{uses: a, retry: {max_atempts: 1}}]",
        "steps: [{uses: a, split: [{uses: a, retry: {max_atempts: 1}}]}]",
        "steps: [{uses: a}]\nby_name: {x: {uses: a, retry: {max_atempts: 1}}}",
    ],
)
def test_the_name_of_the_mapping_is_known_however_deep_it_is(text: str) -> None:
    (problem,) = problems_of(text, File)
    assert problem.message == 'unknown key "max_atempts" in retry'


def test_a_missing_key_is_a_problem_of_its_mapping() -> None:
    (problem,) = problems_of("steps:\n  - with: {}", File)
    assert problem.message == 'missing key "uses" in a step'
    assert problem.hint == 'add "uses: …"'
    assert at(problem) == (2, 5)


@pytest.mark.parametrize(
    ("field", "message", "hint"),
    [
        ("uses: [a]", "expected text, found a list", None),
        ("uses: 5", "expected text, found the number 5", 'put it in quotes: "5"'),
        ("uses: true", "expected text, found true", 'put it in quotes: "true"'),
        ("uses:", "expected text, found nothing", None),
        ("with: []", "expected a mapping, found a list", None),
        ("with: {x: 1.5}", "expected a whole number, found the number 1.5", None),
        ("retry: 5", "expected a mapping, found the number 5", None),
        (
            'retry: {max_attempts: "5"}',
            'expected a whole number, found "5"',
            "write it without quotes: 5",
        ),
        ("retry: {max_attempts: true}", "expected a whole number, found true", None),
        ("retry: {max_attempts: 0}", "expected 1 or more, found the number 0", None),
        ("retry: {max_attempts: 10}", "expected 9 or less, found the number 10", None),
        ("retry: {factor: x}", 'expected a number, found "x"', None),
        ("quiet: yes", 'expected true or false, found "yes"', None),
        (
            "split: {uses: a}",
            "expected a list, found a mapping",
            'start each item with "- "',
        ),
        ("split: a", 'expected a list, found "a"', "write it as a list: [a]"),
        (
            "workspace: clon",
            'expected "clone", "copy" or "empty", found "clon"',
            'did you mean "clone"?',
        ),
        ("workspace: 5", 'expected "clone", "copy" or "empty", found the number 5', None),
        ("type: raed", 'expected "read" or "write", found "raed"', 'did you mean "read"?'),
        (
            "timeout: 5 minuts",
            '"5 minuts" is not a duration',
            "write a number and a unit: 30s, 5m, 2h",
        ),
        (
            "timeout: 30",
            "the number 30 is not a duration",
            "write a number and a unit: 30s, 5m, 2h",
        ),
        (
            "max_body: {}",
            "a mapping is not a size",
            "write a number and a unit: 64KiB, 10MiB, 1GiB",
        ),
    ],
)
def test_a_wrong_value_is_told_with_a_remedy(field: str, message: str, hint: str | None) -> None:
    text = (
        f"steps:\n  - {'uses: a' if not field.startswith('uses') else 'quiet: true'}\n    {field}"
    )
    (problem,) = problems_of(text, File)
    assert (problem.message, problem.hint) == (message, hint)


def test_a_wrong_name_is_a_problem_at_the_name() -> None:
    (problem,) = problems_of("by_name:\n  A B: 1", Named)
    assert problem.message.endswith(', found "A B"')
    assert at(problem) == (2, 3)


def test_a_key_without_a_value_is_a_problem_at_the_key() -> None:
    (problem,) = problems_of("steps:\n  - uses: a\n    timeout:\n", File)
    assert at(problem) == (3, 5)


def test_an_empty_list_is_refused_where_something_is_wanted() -> None:
    (problem,) = problems_of("steps: []", File)
    assert problem.message == "expected something, found an empty list"


def test_a_list_of_wrong_items_is_not_also_called_empty() -> None:
    (problem,) = problems_of("steps: [5]", File)
    assert problem.message == "expected a mapping, found the number 5"


def test_an_empty_file_is_no_mapping() -> None:
    (problem,) = problems_of("", File)
    assert problem.message == "expected a mapping, found nothing"


def test_every_problem_is_reported_at_once_in_the_order_of_the_file() -> None:
    text = "steps:\n  - whit: 1\n    timeout: x\n    retry: []\n  - 5\nnmae: x"
    problems = problems_of(text, File)
    assert [at(problem)[0] for problem in problems] == [2, 2, 3, 4, 5, 6]


def test_a_rule_between_keys_says_where_it_is_broken() -> None:
    (problem,) = problems_of("event: a\nplugin: b", Endpoint)
    assert problem.message == 'found both "event" and "plugin"'
    assert problem.hint == "remove one"
    assert at(problem) == (2, 9)


def test_unknown_keys_can_be_warnings_beside_a_value() -> None:
    document = a_document("steps: [{uses: a, usse: b, retry: {max_attempts: 1, x: 1}}]\ny: 1")
    value, problems = validate(File, document, warn_unknown=True)
    assert [problem.warning for problem in problems] == [True, True, True]
    assert value is not None
    assert value.steps[0].retry == Retry(max_attempts=1)


def test_errors_beside_unknown_keys_leave_no_value() -> None:
    value, problems = validate(Retry, a_document("x: 1\nfactor: y"), warn_unknown=True)
    assert value is None
    assert [problem.warning for problem in problems] == [True, False]


def test_the_document_is_the_same_after_keys_were_left_out() -> None:
    document = a_document("x: 1")
    validate(Retry, document, warn_unknown=True)
    assert document.value == {"x": 1}
