"""What must not be written down is found, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ductile.dispatch.privacy import Privacy
from ductile.errors import Refused

ROOT = Path("/data/ws")
OWN = ROOT / "0198"


def test_a_secret_that_begins_with_another_one_is_replaced_whole() -> None:
    secrets = ["abcdefgh", "abcdefgh-and-more", "more-of-it"]
    for order in (secrets, secrets[::-1]):
        assert Privacy(order, ROOT).redact("x abcdefgh-and-more y") == "x [secret] y"


def test_no_secrets_leave_a_text_as_it_is() -> None:
    assert Privacy([""], ROOT).redact("a text") == "a text"


def test_places_of_workspaces_are_replaced() -> None:
    text = f"{OWN}/a, {OWN}.2/b, {ROOT}/0199/c, {ROOT}"
    assert Privacy([], ROOT).redact(text, OWN) == (
        "[workspace]/a, [workspace].2/b, [workspaces]/0199/c, [workspaces]"
    )


@pytest.mark.parametrize(
    "value",
    [
        {"a": [{"b": f"{OWN}/file"}]},
        {f"{OWN}/file": 1},
        {"a": str(ROOT)},
        {"a": "a-secret"},
        {"a": "before a-secret after"},
        {"a-secret": 1},
        {"a": 'quoted "secret" \\ ü'},
    ],
)
def test_a_value_that_holds_a_secret_or_a_path_is_refused(value: Any) -> None:
    privacy = Privacy(["a-secret", 'quoted "secret" \\ ü'], ROOT)
    with pytest.raises(Refused) as refusal:
        privacy.check("state_updates", value)
    assert str(refusal.value).startswith("state_updates holds the ")
    assert "secret" not in str(refusal.value).replace("configured secret", "")
    assert str(ROOT) not in str(refusal.value)


@pytest.mark.parametrize("value", [{"a": "/data/wsx/file"}, {"a": "/data"}, {"a": "ws/0198"}, {}])
def test_another_path_is_none_of_its_business(value: Any) -> None:
    Privacy(["a-secret"], ROOT).check("state_updates", value)
