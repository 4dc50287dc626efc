"""The page of errors is true, and every message that a pipeline can get is on it.

Which messages there are is read off the source: every text that reaches a `Problem`, a `BadValue`
or an `ExpressionError` (`tests/support/messages.py`). An example counts for a text if, while it was
looked at, the very line was run that words the text, and what was printed is worded so. The line
alone would count what is raised and thrown away, the words alone what another line words alike.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

import pytest

from ductile.documents.composer import YAML_REMEDIES
from tests.house.repository import ROOT
from tests.support.messages import SOURCE, Wording, wordings
from tests.support.page_examples import Shown, make_gateway, output_of, shown_on

PAGE: Final = ROOT / "docs" / "reference" / "pipeline-errors.md"
EXAMPLES: Final = list(shown_on(PAGE))
ROOMS: Final = ("dsl", "expressions", "documents")
FILES: Final = [path for room in ROOMS for path in sorted((SOURCE / room).glob("*.py"))]
WORDINGS: Final = wordings([*FILES, SOURCE / "gateway" / "events.py"])
PLACE = re.compile(r"^[\w./-]+\.yaml:\d+:\d+: (?:warning: )?(.*)$", re.MULTILINE)

#: Texts that no file of pipelines can bring about, and why.
EXEMPT: Final = {
    "documents/scalars.py: … is not a size": "no key of a pipeline is a size",
    "documents/scalars.py: … is no size at all": "no key of a pipeline is a size",
    "documents/scalars.py: … is too large a size": "no key of a pipeline is a size",
    "documents/validation.py: ……, found …": "for errors that pydantic may come up with one day",
    "documents/composer.py: this is not YAML: …": "for errors of the parser without a place",
    "expressions/values.py: expected a JSON value, found …": "YAML has nothing else",
    "expressions/values.py: the text is not valid Unicode": "refused when the file is read",
    "expressions/values.py: the number is too large for JSON": "refused when the file is read",
    "expressions/values.py: expected text for a key, found …": "refused when the file is read",
}


@dataclass
class Looked:
    """What looking at one example ran and printed."""

    lines: set[tuple[str, int]] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)

    def shows(self, wording: Wording) -> bool:
        lines = range(wording.first_line, wording.last_line + 1)
        return any((wording.file, line) in self.lines for line in lines) and any(
            re.fullmatch(wording.pattern, message) for message in self.messages
        )


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_gateway(tmp_path_factory.mktemp("examples") / "gateway")


@contextmanager
def noting(lines: set[tuple[str, int]]) -> Iterator[None]:
    """Note every line of the rooms that is run meanwhile."""
    watched = {each.file for each in WORDINGS}

    def note(frame: FrameType, _kind: str, _value: object) -> Callable[..., Any] | None:
        if frame.f_code.co_filename not in watched:
            return None
        lines.add((frame.f_code.co_filename, frame.f_lineno))
        return note

    before = sys.gettrace()
    sys.settrace(note)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.fixture(scope="module")
def looked(gateway: Path) -> list[Looked]:
    found = []
    for example in EXAMPLES:
        each = Looked()
        with noting(each.lines):
            output = output_of(example, gateway)
        each.messages = PLACE.findall(output)
        found.append(each)
    return found


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_comes_to_what_the_page_shows(example: Shown, gateway: Path) -> None:
    assert output_of(example, gateway) == example.output, 'to write the page anew: "./dev docs"'


def test_every_message_has_an_example_or_a_reason_for_none(looked: list[Looked]) -> None:
    shown = {each.name for each in WORDINGS if any(look.shows(each) for look in looked)}
    known = {each.name for each in WORDINGS}
    missing = sorted(known - shown - EXEMPT.keys())
    assert not missing, "no example in docs/reference/pipeline-errors.md:\n" + "\n".join(missing)
    assert not sorted(EXEMPT.keys() & shown), "there is an example, and a reason for none"
    assert not sorted(EXEMPT.keys() - known), "exempt, but no longer in the code"


def test_texts_are_found_over_functions_that_hand_them_on() -> None:
    assert len(WORDINGS) > 90
    names = {each.name for each in WORDINGS}
    assert 'expressions/texts.py: "{" is never closed in …' in names
    assert "gateway/events.py: events can lead in a circle of pipelines: …" in names


def test_every_remedy_for_what_is_not_yaml_is_shown() -> None:
    page = PAGE.read_text()
    assert not [message for message in YAML_REMEDIES if f"not YAML: {message}" not in page]
