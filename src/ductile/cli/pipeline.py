"""`ductile pipeline`: lists, shows, checks and runs pipelines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from ductile.documents.files import read_any, read_file
from ductile.documents.problems import Problem, in_order, refuses
from ductile.documents.render import render, to_json
from ductile.documents.yaml import Document
from ductile.dsl.compiler import compile_documents
from ductile.dsl.loader import read_document
from ductile.gateway.configuration import Configuration, UsablePlugins
from ductile.gateway.events import event_warnings
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
    inspect --json" prints it, and "duplicate_of" where the dedupe key was used before.
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
    """What is wrong in these files, and in the others of the directory because of them."""
    if found.settings is None or found.registry is None:
        found.parts()
        return []
    plugins = UsablePlugins(found.settings, found.registry)
    # Called in messages what they were called in the question.
    given = {path.resolve(): str(path) for path in files}
    folder = found.directory / "pipelines"
    paths = {path.resolve() for suffix in ("yaml", "yml") for path in folder.rglob(f"*.{suffix}")}
    unasked = {path: str(path) for path in sorted(paths - given.keys())}
    others, problems = _read(unasked, read_file)
    # What is wrong without these files is not asked for; who calls one of them is not to blame.
    _, wrong = compile_documents(others, plugins, complete=False)
    known = {*problems, *wrong}
    documents, wrong = _read(dict(sorted(given.items())), read_any)
    problems += wrong
    documents = [*others, *documents]
    catalogue, wrong = compile_documents(documents, plugins, complete=not problems)
    problems += wrong
    if catalogue is not None:
        warnings = event_warnings(catalogue, found.registry, found.settings, documents)
        shown = set(given.values())
        problems += [each for each in warnings if each.place and each.place.file in shown]
    return in_order(each for each in problems if each not in known)


def _read(
    paths: Mapping[Path, str], read: Callable[[Path], bytes]
) -> tuple[list[Document], list[Problem]]:
    """The documents of these files that can be read, by what messages call them."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for path, name in paths.items():
        document, wrong = read_document(path, name, read)
        problems += wrong
        if document is not None:
            documents.append(document)
    return documents, problems
