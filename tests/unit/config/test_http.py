"""The doors on the network in `config.yaml`."""

from __future__ import annotations

from pathlib import Path

import pytest

from .loading import HOME, accepted, load, refusals

TOKEN = "0123456789abcdef"


def test_tokens_are_taken_from_the_environment_and_are_secrets(tmp_path: Path) -> None:
    settings = accepted(tmp_path, 'http: {tokens: ["${API}"]}\n', {**HOME, "API": TOKEN})

    assert [each.get_secret_value() for each in settings.http.tokens] == [TOKEN]
    assert TOKEN in settings.secrets
    assert TOKEN not in repr(settings)


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "expected a token of 16 characters or more, found 0"),
        (TOKEN[:-1], "expected a token of 16 characters or more, found 15"),
        (
            "a token with spaces in it",
            "a token has characters that no HTTP header can carry, a space for instance",
        ),
    ],
)
def test_a_token_that_cannot_be_is_refused_without_being_shown(
    tmp_path: Path, token: str, message: str
) -> None:
    assert refusals(tmp_path, f'http: {{tokens: ["{token}"]}}\n') == [message]


@pytest.mark.parametrize("listen", ["0.0.0.0:80", "[::]:80", "192.168.1.5:80", "example.org:80"])
@pytest.mark.parametrize("tokens", ["", ", tokens: []"])
def test_without_tokens_it_refuses_to_listen_beyond_loopback(
    tmp_path: Path, listen: str, tokens: str
) -> None:
    settings, _, [problem] = load(tmp_path, f"http: {{listen: '{listen}'{tokens}}}\n")

    assert settings is None
    assert problem.message == f'"{listen}" is open to the network, and the API asks for no token'
    assert problem.hint is not None
    assert "http.tokens" in problem.hint
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (1, 16)


def test_with_a_token_it_listens_anywhere(tmp_path: Path) -> None:
    text = f"http: {{listen: '0.0.0.0:80', tokens: [{TOKEN}]}}\n"

    assert accepted(tmp_path, text).http.host == "0.0.0.0"


@pytest.mark.parametrize("listen", ["127.0.0.1:80", "127.8.9.1:80", "[::1]:80", "localhost:80"])
def test_loopback_needs_no_token(tmp_path: Path, listen: str) -> None:
    assert accepted(tmp_path, f"http: {{listen: '{listen}'}}\n").http.tokens == ()


def test_it_is_said_together_with_all_that_is_wrong_elsewhere(tmp_path: Path) -> None:
    messages = refusals(tmp_path, "http: {listen: '0.0.0.0:80'}\nservise: {}\n")

    assert len(messages) == 2
