"""`ductile pipeline`: lists, shows, checks and runs pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ductile.cli import reload
from ductile.cli.commands import Asked, Group, json_option
from ductile.cli.output import paint, say, say_json, width
from ductile.cli.pipeline_diff import diff
from ductile.cli.pipeline_explain import explain
from ductile.cli.pipeline_graph import graph
from ductile.cli.pipeline_version import find_pipeline, find_version
from ductile.cli.render.graph import graph_tree
from ductile.cli.render.lists import InFlight, pipeline_table
from ductile.cli.render.text import counted
from ductile.cli.session import configuration, ledger, usable_configuration
from ductile.cli.trigger import hand_in, read_wish, trigger_options
from ductile.dispatch.interfaces import Trigger
from ductile.documents.problems import Place, Problem, refuses
from ductile.documents.render import render, to_json
from ductile.documents.yaml import Document, parse
from ductile.dsl.compiler import compile_documents
from ductile.gateway.configuration import Configuration, UsablePlugins
from ductile.insights.graph_view import graph_view
from ductile.insights.pipeline_shapes import pipeline_json

_CONFIGURATION = 3


@click.group(cls=Group)
def command() -> None:
    """Pipelines: named graphs of steps, started by events."""


for _each in (graph, diff, explain):
    command.add_command(_each)
command.add_command(reload.command, "reload")


@command.command("list")
@json_option
@click.pass_obj
def list_pipelines(asked: Asked, *, as_json: bool) -> None:
    """Show all pipelines, and how many runs are in flight in which version.

    With --json: {"pipelines": […]}, each as "show --json" prints it, with "running": {version:
    count}.
    """
    settings, _, catalogue = usable_configuration(asked).parts()
    pipelines = list(catalogue.pipelines.values())
    in_flight: InFlight = {}
    if settings.database.exists():
        with ledger(asked) as opened:
            in_flight = opened.insights.runs_in_flight()
    if as_json:
        shapes = [
            {**pipeline_json(each), "running": dict(in_flight.get(each.name, {}))}
            for each in pipelines
        ]
        say_json({"pipelines": shapes})
    else:
        text = pipeline_table(pipelines, in_flight, paint(), width=width())
        say(text if pipelines else "no pipelines")


@command.command()
@click.argument("name")
@click.option(
    "--version", metavar="HASH", help="The version whose hash begins like this, if it ever ran."
)
@json_option
@click.pass_obj
def show(asked: Asked, name: str, *, version: str | None, as_json: bool) -> None:
    """Show the steps of a pipeline, calls inlined, and its version.

    With --json: {"name", "hash", "description", "on": […], "from", "if", "timeout", "entries":
    […], "on_failure": […], "finally": […], "nodes": [{"id", "kind", "phase", "next": […], …}]};
    null stands for what the file does not say.
    """
    pipeline = find_version(asked, name, version)
    if as_json:
        say_json(pipeline_json(pipeline))
        return
    say(pipeline.name)
    if pipeline.description:
        say(pipeline.description)
    say(f"version {pipeline.hash}\n")
    say(graph_tree(graph_view(pipeline), paint(), width=width()))


@command.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@json_option
@click.pass_obj
def check(asked: Asked, files: tuple[Path, ...], *, as_json: bool) -> int:
    """Check the pipelines, or these files as if they were among them.

    Exit code 3 if anything is wrong. With --json: {"usable", "files", "problems": […]}.
    """
    found = configuration(asked)
    if files:
        problems, count = _problems_in(found, files), len(files)
    else:
        problems, count = list(found.problems), found.files
    usable = not refuses(problems)
    if as_json:
        say_json({"usable": usable, "files": count, "problems": to_json(problems)})
    elif problems:
        say(render(problems, files=count, consequence="").rstrip("\n"))
    else:
        say(f"all in order: {counted(count, 'file')}")
    return 0 if usable else _CONFIGURATION


@command.command()
@click.argument("name")
@trigger_options
@click.pass_obj
def run(
    asked: Asked,
    name: str,
    *,
    payload: str,
    dedupe_key: str | None,
    wait: str | None,
    no_wait: bool,
    as_json: bool,
) -> int:
    """Run a pipeline, whatever its `on`, and watch the chain.

    The gateway that serves the database works on it; where none is running, this process does.
    Exit code 1 unless all jobs of the chain succeed. With --json: the chain, as "ductile job
    inspect --json" prints it.
    """
    wish = read_wish(
        payload=payload, dedupe_key=dedupe_key, wait=wait, no_wait=no_wait, as_json=as_json
    )
    found = usable_configuration(asked)
    pipeline = find_pipeline(found, name)
    trigger = Trigger(
        pipeline.on[0], wish.payload, "cli", pipeline=name, dedupe_key=wish.dedupe_key
    )
    return hand_in(found, trigger, wish)


def _problems_in(found: Configuration, files: Sequence[Path]) -> list[Problem]:
    """What is wrong in these files, compiled together with the others of the directory."""
    if found.settings is None or found.registry is None:
        found.parts()
        return []
    given = {path.resolve() for path in files}
    folder = found.directory / "pipelines"
    others = {path.resolve() for suffix in ("yaml", "yml") for path in folder.rglob(f"*.{suffix}")}
    documents: list[Document] = []
    problems: list[Problem] = []
    for path in sorted(given | others):
        document, wrong = _read(path)
        problems += wrong
        if document is not None:
            documents.append(document)
    plugins = UsablePlugins(found.settings, found.registry)
    _, wrong = compile_documents(documents, plugins, complete=not problems)
    shown = {str(path) for path in given}
    return [each for each in (*problems, *wrong) if each.place and each.place.file in shown]


def _read(path: Path) -> tuple[Document | None, list[Problem]]:
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        remedy = "check that it exists and who may read it"
        return None, [Problem(message, Place(str(path), 1, 1), remedy)]
