"""Secrets: which values of `config.yaml` must never be shown or stored."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Final

from ductile.config.interpolation import Use
from ductile.config.settings import ConfigFile
from ductile.config.signatures import SharedSecret
from ductile.documents.problems import Problem
from ductile.documents.yaml import Document
from ductile.model.json import Json

#: Shorter ones are left out: hiding every "on" or "8080" of a log helps nobody.
SHORTEST: Final = 8
_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_TELLING: Final = frozenset(
    (
        *("token", "tokens", "secret", "secrets", "credential", "credentials", "webhook", "dsn"),
        *("password", "passwd", "passphrase", "auth", "authorization", "pat"),
    )
)
#: What comes before "key" when it is one that opens something, unlike that of a mapping.
_OF_KEYS: Final = frozenset(("api", "access", "private", "signing", "encryption", "master"))
#: As many characters of a value as a message shows at the most.
_SHOWN: Final = 59


def secrets(file: ConfigFile, uses: Iterable[Use]) -> frozenset[str]:
    """The tokens of the API, the secrets of webhooks, and those of plugins by their telling names.

    A telling name is one such as `api_key` or `SLACK_WEBHOOK_URL`: of a key under a plugin's
    `config`, or of a variable that is used there.
    """
    found = set(_of_endpoints(file))
    found.update(token.get_secret_value() for token in file.http.tokens)
    for plugin in file.plugins.values():
        found.update(_of_config(plugin.config, telling=False))
    found.update(use.value for use in uses if _is_secret(use))
    return frozenset(value for value in found if len(value) >= SHORTEST)


def masked(problems: Iterable[Problem], uses: Iterable[Use], document: Document) -> list[Problem]:
    """The problems with variables named, where the messages would show what they hold."""
    held: dict[object, list[Use]] = {}
    for use in uses:
        held.setdefault(document.place(use.path), []).append(use)
    return [_mask(problem, held.get(problem.place, [])) for problem in problems]


def _mask(problem: Problem, uses: list[Use]) -> Problem:
    message, hint = problem.message, problem.hint
    for use in sorted(uses, key=lambda use: -len(use.value)):
        for shown in (use.value, use.value[:_SHOWN]):
            if shown:
                name = f"${{{use.name}}}"
                message = message.replace(shown, name)
                hint = hint and hint.replace(shown, name)
    return replace(problem, message=message, hint=hint)


def _of_endpoints(file: ConfigFile) -> Iterator[str]:
    for endpoint in file.webhooks.endpoints:
        if isinstance(endpoint.signature, SharedSecret):
            yield from endpoint.signature.live


def _of_config(value: Json, *, telling: bool) -> Iterator[str]:
    if isinstance(value, str):
        if telling:
            yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _of_config(inner, telling=telling or _is_telling(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _of_config(inner, telling=telling)


def _is_secret(use: Use) -> bool:
    # Nobody puts the key of a mapping into the environment.
    telling = _is_telling(use.name) or use.name.upper().endswith("KEY")
    return telling or any(isinstance(part, str) and _is_telling(part) for part in use.path)


def _is_telling(name: str) -> bool:
    words = [word.lower() for word in _WORD.findall(name)]
    return bool(_TELLING.intersection(words)) or any(
        before in _OF_KEYS and word in ("key", "keys") for before, word in pairwise(words)
    )
