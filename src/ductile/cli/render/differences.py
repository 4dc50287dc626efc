"""What changed between two versions of a pipeline, a block per node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from ductile.cli.render.text import Paint, Style, cut, one_line, value
from ductile.insights.pipeline_diff import Change, Difference
from ductile.model.json import Json

_SIGNS: Final = {
    Change.ADDED: ("+", Style.GOOD),
    Change.REMOVED: ("-", Style.BAD),
    Change.CHANGED: ("~", Style.BUSY),
}


def difference_lines(found: Sequence[Difference], paint: Paint, *, width: int) -> str:
    """The differences in lines of at most `width` columns, in the given order."""
    lines = [
        (line, style)
        for (kind, node), each in groupby(found, key=lambda each: (each.kind, each.id))
        for line, style in _block(kind, node, list(each))
    ]
    return "\n".join(paint(cut(line, width), style) for line, style in lines)


def _block(kind: str, node: str, found: Sequence[Difference]) -> Iterator[tuple[str, Style | None]]:
    whole = [each for each in found if each.key is None]
    if not whole:
        yield f"~ {kind} {one_line(node)}", Style.BOLD
    for each in whole:
        sign, style = _SIGNS[each.change]
        yield f"{sign} {each.kind} {one_line(node)}", style
        content = each.after if each.change is Change.ADDED else each.before
        for key, said in content.items():
            if said not in (None, [], {}):
                yield f"    {key}: {value(said, 80)}", Style.DIM
    for each in found:
        if each.key is not None:
            sign, style = _SIGNS[each.change]
            yield f"  {sign} {one_line(each.key)}: {_change(each)}", style


def _change(each: Difference) -> str:
    match each.change:
        case Change.ADDED:
            return _shown(each.after)
        case Change.REMOVED:
            return _shown(each.before)
        case Change.CHANGED:
            return f"{_shown(each.before)} -> {_shown(each.after)}"


def _shown(content: Json) -> str:
    return value(content, 60)
