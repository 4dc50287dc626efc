"""Loading a `config.yaml` that a test wrote."""

from __future__ import annotations

from pathlib import Path

from ductile.config.loader import ConfigSource, load_settings
from ductile.config.settings import Settings
from ductile.documents.problems import Problem

HOME = {"HOME": "/home/ada"}
SECRET = "correct horse battery"
PUBLIC_KEY = "ab" * 32


def load(
    folder: Path, text: str | bytes, environment: dict[str, str] | None = None
) -> tuple[Settings | None, ConfigSource, list[Problem]]:
    (folder / "config.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
    return load_settings(folder, HOME if environment is None else environment)


def accepted(
    folder: Path, text: str | bytes, environment: dict[str, str] | None = None
) -> Settings:
    settings, _, problems = load(folder, text, environment)
    assert problems == []
    assert settings is not None
    return settings


def refusals(
    folder: Path, text: str | bytes, environment: dict[str, str] | None = None
) -> list[str]:
    settings, _, problems = load(folder, text, environment)
    assert settings is None
    return [problem.message for problem in problems]


def endpoint(text: str) -> str:
    return f"webhooks: {{endpoints: [{{{text}}}]}}\n"


SIGNED = f'signature: {{scheme: hmac-sha256, secret: "{SECRET}"}}'
