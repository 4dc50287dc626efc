"""`ductile pipeline graph`: draws a pipeline."""

from __future__ import annotations

import click

from ductile.cli.commands import Asked, Command
from ductile.cli.output import paint, say, width
from ductile.cli.pipeline_version import find_named
from ductile.cli.render.graph import graph_tree
from ductile.insights.graph_mermaid import mermaid
from ductile.insights.graph_svg import svg
from ductile.insights.graph_view import graph_view


@click.command("graph", cls=Command)
@click.argument("name", metavar="NAME[@HASH]")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "mermaid", "svg"]),
    default="text",
    show_default=True,
    help="How to draw it.",
)
@click.pass_obj
def graph(asked: Asked, name: str, *, shape: str) -> None:
    """Draw a pipeline: steps, gates, joins, and what is done on failure and finally.

    With @HASH, the version whose hash begins like that. As text, what stands below something on
    the same level follows it, and what is indented is one of several ways.
    """
    view = graph_view(find_named(asked, name))
    match shape:
        case "mermaid":
            say(mermaid(view))
        case "svg":
            say(svg(view))
        case _:
            say(graph_tree(view, paint(), width=width()))
