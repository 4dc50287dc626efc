"""`ductile pipeline`: lists, shows, checks and runs pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from ductile.cli.commands import Asked, Group, json_option
from ductile.cli.output import paint, say, say_json, width
from ductile.cli.render.lists import pipeline_table, step_table
from ductile.cli.render.text import counted
from ductile.cli.session import configuration, usable_configuration
from ductile.cli.trigger import hand_in, read_wish, trigger_options
from ductile.dispatch.interfaces import Trigger
from ductile.documents.problems import Place, Problem, refuses
from ductile.documents.render import render, to_json
from ductile.documents.scalars import format_duration
from ductile.documents.suggest import hint
from ductile.documents.yaml import Document, parse
from ductile.dsl.catalogue import Catalogue
from ductile.dsl.compiler import compile_documents
from ductile.dsl.graph import Pipeline, Step
from ductile.errors import NotFound
from ductile.gateway.configuration import Configuration, UsablePlugins
from ductile.model.json import Json

_CONFIGURATION = 3


@click.group(cls=Group)
def command() -> None:
    """Pipelines: named graphs of steps, started by events."""


@command.command("list")
@json_option
@click.pass_obj
def list_pipelines(asked: Asked, *, as_json: bool) -> None:
    """Show all pipelines.

    With --json: {"pipelines": [{"name", "on", "description", "hash", "steps": […]}]}.
    """
    pipelines = list(_catalogue(usable_configuration(asked)).pipelines.values())
    if as_json:
        say_json({"pipelines": [_pipeline_json(each) for each in pipelines]})
    else:
        text = pipeline_table(pipelines, paint(), width=width())
        say(text if pipelines else "no pipelines")


@command.command()
@click.argument("name")
@json_option
@click.pass_obj
def show(asked: Asked, name: str, *, as_json: bool) -> None:
    """Show the steps of a pipeline, calls inlined, and its version.

    With --json: {"name", "on", "description", "hash", "entries": […], "steps": [{"id",
    "plugin", "command", "next": […], "workspace", "timeout", "max_attempts",
    "backoff_base"}]}; null stands for the plugin's own setting.
    """
    pipeline = _pipeline(usable_configuration(asked), name)
    if as_json:
        say_json(_pipeline_json(pipeline))
        return
    say(f"{pipeline.name}  on {pipeline.on}")
    if pipeline.description:
        say(pipeline.description)
    say(f"version {pipeline.hash}\n")
    say(step_table(pipeline, paint(), width=width()))


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
    asked: Asked, name: str, *, payload: str, wait: str | None, no_wait: bool, as_json: bool
) -> int:
    """Run a pipeline, whatever its `on`, and watch the chain.

    The gateway that serves the database works on it; where none is running, this process does.
    Exit code 1 unless all jobs of the chain succeed. With --json: the chain, as "ductile job
    inspect --json" prints it.
    """
    wish = read_wish(payload=payload, wait=wait, no_wait=no_wait, as_json=as_json)
    found = usable_configuration(asked)
    pipeline = _pipeline(found, name)
    return hand_in(found, Trigger(pipeline.on, wish.payload, "cli", pipeline=name), wish)


def _catalogue(found: Configuration) -> Catalogue:
    _, _, catalogue = found.parts()
    return catalogue


def _pipeline(found: Configuration, name: str) -> Pipeline:
    catalogue = _catalogue(found)
    pipeline = catalogue.get(name)
    if pipeline is None:
        remedy = hint(name, catalogue.pipelines) or f'write one in "{found.directory}/pipelines"'
        raise NotFound(f'no pipeline named "{name}"; {remedy}')
    return pipeline


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


def _pipeline_json(pipeline: Pipeline) -> dict[str, Json]:
    return {
        "name": pipeline.name,
        "on": pipeline.on,
        "description": pipeline.description,
        "hash": pipeline.hash,
        "entries": list(pipeline.entries),
        "steps": [_step_json(each) for each in pipeline.steps.values()],
    }


def _step_json(step: Step) -> dict[str, Json]:
    return {
        **asdict(step),
        "next": list(step.next),
        "workspace": step.workspace.value,
        "timeout": step.timeout and format_duration(step.timeout),
        "backoff_base": step.backoff_base and format_duration(step.backoff_base),
    }
