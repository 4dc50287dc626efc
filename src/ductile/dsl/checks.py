"""What the steps of one pipeline must be, each by itself: its kind, its plugin, its id."""

from __future__ import annotations

from collections.abc import Iterator

from ductile.documents.problems import Problem, quoted
from ductile.documents.suggest import hint
from ductile.dsl.interfaces import PluginCatalogue
from ductile.dsl.syntax import MODES, OPTIONS, PipelineNode, StepNode, StepSyntax

_KEYS = frozenset(field.alias or name for name, field in StepSyntax.model_fields.items())


def check_steps(pipeline: PipelineNode, plugins: PluginCatalogue) -> Iterator[Problem]:
    """Everything that is wrong with the steps of a pipeline, other pipelines left aside."""
    first: dict[str, StepNode] = {}
    for step in pipeline.walk():
        yield from _check_kind(pipeline, step)
        yield from _check_plugin(pipeline, step, plugins)
        if step.id is not None and first.setdefault(step.id, step) is not step:
            line = pipeline.place((*first[step.id].path, "id")).line
            yield Problem(
                f"step id {quoted(step.id)} stands twice in one pipeline",
                pipeline.place((*step.path, "id")),
                f"rename one; the first is in line {line}",
            )


def _check_kind(pipeline: PipelineNode, step: StepNode) -> Iterator[Problem]:
    modes = step.modes
    # An unknown key has been reported, and is most likely the one that is missed here.
    if not modes and _KEYS.issuperset(step.raw):
        message = f"a step needs one of {_listed(MODES)}, found none"
        remedy = 'write "uses: " and the name of a plugin'
        yield Problem(message, pipeline.place(step.path), remedy)
    if len(modes) > 1:
        later = max(modes, key=list(step.raw).index)
        message = (
            f"a step is only one of {_listed(MODES)}, found {' and '.join(map(quoted, modes))}"
        )
        place = pipeline.document.key_place((*step.path, later))
        yield Problem(message, place, "make a step of each")
    if modes and "uses" not in modes:
        for key in OPTIONS:
            if key in step.raw:
                message = f'"{key}" belongs to a step that uses a plugin'
                place = pipeline.document.key_place((*step.path, key))
                yield Problem(message, place, 'move it to the steps that have "uses"')


def _check_plugin(
    pipeline: PipelineNode, step: StepNode, plugins: PluginCatalogue
) -> Iterator[Problem]:
    if step.uses is None:
        return
    plugin, command = step.uses
    place = pipeline.place((*step.path, "uses"))
    commands = plugins.commands(plugin)
    if plugins.disabled(plugin):
        remedy = 'set "enabled: true" for it under "plugins", or remove the step'
        yield Problem(f"plugin {quoted(plugin)} is disabled", place, remedy)
    elif commands is None:
        remedy = hint(plugin, plugins.names()) or "put its folder into one of the plugin roots"
        yield Problem(f"no plugin named {quoted(plugin)}", place, remedy)
    elif command not in commands:
        message = f"plugin {quoted(plugin)} has no command {quoted(command)}"
        yield Problem(message, place, hint(command, commands))


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(map(quoted, words[:-1]))} and {quoted(words[-1])}"
