"""What the documentation shows is true: its examples are run, its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import BaseModel

from ductile.config.loader import load_settings
from ductile.config.settings import ConfigFile
from ductile.documents.problems import Problem
from ductile.documents.render import render
from ductile.documents.yaml import parse
from ductile.dsl.compiler import compile_documents
from ductile.dsl.syntax import PipelineSyntax, StepSyntax
from ductile.expressions.operators import OPERATORS
from ductile.expressions.paths import ROOTS
from ductile.model.json import Json
from ductile.plugin.manifest import read_manifest
from tests.house.repository import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Example:
    """One fenced block of one page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


class AnyPlugin:
    """Every plugin that an example may name, with every command."""

    def names(self) -> Collection[str]:
        return {word for each in EXAMPLES for word in re.findall(r"uses: ([\w-]+)", each.text)}

    def commands(self, plugin: str) -> Collection[str] | None:
        return ["handle", "refresh"] if plugin in self.names() else None

    def disabled(self, plugin: str) -> bool:
        return False


def _examples() -> Iterator[Example]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield Example(page, line, match[1], match[2])


EXAMPLES = list(_examples())
REFERENCE = ROOT / "docs" / "reference" / "pipelines.md"
#: Its examples are wrong, each in its way; `test_pipeline_errors.py` looks at them.
ERRORS = ROOT / "docs" / "reference" / "pipeline-errors.md"
YAML = [each for each in EXAMPLES if each.language == "yaml" and each.page != ERRORS]
PIPELINES = [each for each in YAML if each.text.startswith("pipelines:")]
MANIFESTS = [each for each in YAML if each.text.startswith("manifest_spec:")]
CONFIGS = [each for each in YAML if each not in PIPELINES and each not in MANIFESTS]


def _no_problem(problems: Collection[Problem]) -> None:
    assert not problems, render(list(problems))


@pytest.mark.parametrize("example", PIPELINES, ids=str)
def test_every_pipeline_in_the_docs_compiles(example: Example) -> None:
    document, problems = parse(example.text, str(example))
    _no_problem(problems)
    assert document is not None
    catalogue, problems = compile_documents([document], AnyPlugin())
    _no_problem(problems)
    assert catalogue is not None


@pytest.mark.parametrize("example", CONFIGS, ids=str)
def test_every_configuration_in_the_docs_loads(example: Example, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(example.text)
    names = re.findall(r"\$\{(\w+)\}", example.text)
    settings, _, problems = load_settings(tmp_path, {name: "a" * 64 for name in [*names, "HOME"]})
    _no_problem([each for each in problems if not each.warning])
    assert settings is not None


@pytest.mark.parametrize("example", MANIFESTS, ids=str)
def test_every_manifest_in_the_docs_is_accepted(example: Example, tmp_path: Path) -> None:
    [script] = [
        each.text
        for each in EXAMPLES
        if each.page == example.page and each.language == "sh" and each.text.startswith("#!")
    ]
    entrypoint = re.search(r"entrypoint: (\S+)", example.text)
    assert entrypoint is not None
    (tmp_path / entrypoint[1]).write_text(script)
    (tmp_path / entrypoint[1]).chmod(0o755)
    tmp_path.chmod(0o755)
    (tmp_path / "manifest.yaml").write_text(example.text)
    manifest, problems = read_manifest(tmp_path / "manifest.yaml")
    _no_problem(problems)
    assert manifest is not None


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e.language == "sh"], ids=str)
def test_every_script_in_the_docs_is_valid_shell(example: Example) -> None:
    done = subprocess.run(["sh", "-n"], input=example.text, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    words = FENCE.sub("", page.read_text())
    targets = [each for each in LINK.findall(words) if "://" not in each]
    missing = [each for each in targets if not (page.parent / each).exists()]
    assert not missing, f"{page.name} links to what is not there: {', '.join(missing)}"


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = field.alias or name
        yield prefix + key
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _keys(inner, f"{prefix}{key}.")


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    missing = [key for key in _keys(ConfigFile) if f"`{key}`" not in page]
    assert not missing, f"docs/configuration.md does not tell of {', '.join(missing)}"


def _shown(value: Json) -> Iterator[str]:
    """Every key of an example, and every operator."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            if key == "op":
                yield f"op {each}"
            yield from _shown(each)
    elif isinstance(value, list):
        for each in value:
            yield from _shown(each)


def _shown_in_the_reference() -> set[str]:
    found: set[str] = set()
    for example in PIPELINES:
        document, _ = parse(example.text, str(example))
        if document is not None and example.page == REFERENCE:
            found.update(_shown(document.value))
    return found


def test_every_key_of_the_pipeline_language_is_documented_with_an_example() -> None:
    page, shown = REFERENCE.read_text(), _shown_in_the_reference()
    keys = {key.split(".")[-1] for key in (*_keys(PipelineSyntax), *_keys(StepSyntax))}
    missing = sorted(key for key in keys if f"`{key}" not in page or key not in shown)
    assert not missing, f"docs/reference/pipelines.md does not tell of {', '.join(missing)}"


def test_every_operator_of_the_expressions_is_documented_with_an_example() -> None:
    page, shown = REFERENCE.read_text(), _shown_in_the_reference()
    missing = sorted(
        word for word in OPERATORS if f"`{word}`" not in page or f"op {word}" not in shown
    )
    missing += sorted({"all", "any", "not"} - shown)
    assert not missing, f"docs/reference/pipelines.md does not tell of {', '.join(missing)}"


def test_every_root_of_the_expressions_is_documented() -> None:
    page = REFERENCE.read_text()
    missing = sorted(word for word in ROOTS if f"`{word}`" not in page)
    assert not missing, f"docs/reference/pipelines.md does not tell of {', '.join(missing)}"


def test_no_page_is_beyond_the_reach_of_the_first() -> None:
    reached = {os.path.normpath(each) for each in LINK.findall((ROOT / "README.md").read_text())}
    pages = {str(page.relative_to(ROOT)) for page in PAGES} - {"README.md"}
    assert pages <= reached, f"README.md does not link to {', '.join(sorted(pages - reached))}"
