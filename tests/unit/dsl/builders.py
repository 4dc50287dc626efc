"""Pipelines from text, and the plugins that they may use."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from textwrap import dedent

from ductile.documents.problems import Problem
from ductile.documents.yaml import Document, parse
from ductile.dsl.catalogue import Catalogue
from ductile.dsl.compiler import compile_documents
from ductile.dsl.graph import Pipeline, successors

COMMANDS: Mapping[str, frozenset[str]] = {
    name: frozenset(("handle", "poll", "health"))
    for name in ("fetch", "echo", "summary", "notify", "archive")
}


@dataclass(frozen=True)
class Plugins:
    """A few plugins, one of which is disabled."""

    known: Mapping[str, Collection[str]] = field(default_factory=lambda: COMMANDS)

    def names(self) -> Collection[str]:
        return self.known.keys()

    def commands(self, plugin: str) -> Collection[str] | None:
        return self.known.get(plugin)

    def disabled(self, plugin: str) -> bool:
        return plugin == "asleep"


def a_document(text: str, file: str = "a.yaml") -> Document:
    document, problems = parse(dedent(text), file)
    assert problems == []
    assert document is not None
    return document


def compiled(*texts: str) -> Catalogue:
    """The catalogue of files that are right."""
    documents = [a_document(text, f"{n}.yaml") for n, text in enumerate(texts)]
    catalogue, problems = compile_documents(documents, Plugins())
    assert problems == []
    assert catalogue is not None
    return catalogue


def problems_of(*texts: str) -> list[Problem]:
    """What is wrong with files that are not; the first is called `0.yaml`."""
    documents = [a_document(text, f"{n}.yaml") for n, text in enumerate(texts)]
    catalogue, problems = compile_documents(documents, Plugins())
    assert catalogue is None
    assert all(problem.place is not None for problem in problems)
    return problems


def steps_text(steps: str, name: str = "p", on: str = "started") -> str:
    """A file with one pipeline, whose `steps` are a flow sequence."""
    return f"pipelines:\n- {{name: {name}, on: {on}, steps: {steps}}}\n"


def a_pipeline(steps: str) -> Pipeline:
    pipeline = compiled(steps_text(steps)).get("p")
    assert pipeline is not None
    return pipeline


def edges(pipeline: Pipeline) -> dict[str, tuple[str, ...]]:
    """What can follow each node, in the order of the nodes."""
    return {node.id: successors(node) for node in pipeline.nodes.values()}
