"""`ductile pipeline diff`: what changed in meaning between two versions."""

from __future__ import annotations

import click

from ductile.cli.commands import Asked, Command, json_option
from ductile.cli.output import paint, say, say_json, width
from ductile.cli.pipeline_version import find_named
from ductile.cli.render.differences import difference_lines
from ductile.insights.pipeline_diff import differences
from ductile.insights.pipeline_shapes import difference_json, pipeline_json


@click.command("diff", cls=Command)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@json_option
@click.pass_obj
def diff(asked: Asked, first: str, second: str, *, as_json: bool) -> None:
    """Show what B means otherwise than A; each is NAME, or NAME@HASH for a version that ran.

    Order of keys, comments and descriptions make no difference. Exit code 0 either way. With
    --json: {"before", "after", "differences": [{"change", "kind", "id", "key", "before",
    "after"}]}; "before" and "after" of the whole are hashes.
    """
    before, after = find_named(asked, first), find_named(asked, second)
    found = differences(pipeline_json(before), pipeline_json(after))
    if as_json:
        say_json(
            {
                "before": before.hash,
                "after": after.hash,
                "differences": [difference_json(each) for each in found],
            }
        )
    else:
        lines = difference_lines(found, paint(), width=width())
        say(lines if found else "no difference in meaning")
