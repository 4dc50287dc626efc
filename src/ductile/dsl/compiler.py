"""The compiler: from documents to a catalogue, or to everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable

from ductile.documents.problems import Problem, in_order, refuses
from ductile.documents.yaml import Document
from ductile.dsl.builder import build
from ductile.dsl.calls import callees_first
from ductile.dsl.catalogue import Catalogue
from ductile.dsl.checks import check_steps
from ductile.dsl.flow import check_flow
from ductile.dsl.interfaces import PluginCatalogue
from ductile.dsl.scopes import check_expressions
from ductile.dsl.syntax import PipelineNode, read


def compile_documents(
    documents: Iterable[Document], plugins: PluginCatalogue, *, complete: bool = True
) -> tuple[Catalogue | None, list[Problem]]:
    """The pipelines of all documents together, and every problem of all of them in order.

    There is no catalogue if any problem is more than a warning, nor if the documents are not
    `complete`; in that case a called pipeline that is in none of them is not reported.
    """
    nodes: list[PipelineNode] = []
    problems: list[Problem] = []
    for document in documents:
        found, syntax_problems = read(document)
        nodes += found
        problems += syntax_problems
    for node in nodes:
        problems += check_steps(node, plugins)
        problems += check_expressions(node)
    ordered, call_problems = callees_first(nodes, complete=complete)
    problems = in_order([*problems, *call_problems, *check_flow(ordered)])
    usable = complete and not refuses(problems)
    return (Catalogue(build(ordered)) if usable else None), problems
