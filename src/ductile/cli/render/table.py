"""Tables without lines: columns as wide as what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ductile.cli.render.text import Paint, Style, cut, one_line


@dataclass(frozen=True, slots=True)
class Cell:
    """One text and how it looks."""

    text: str
    style: Style | None = None


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[Cell | str]],
    paint: Paint,
    *,
    width: int | None = None,
) -> str:
    """A heading and a line per row, of at most `width` columns if given."""
    cells = [[_cell(each) for each in row] for row in rows]
    cells.insert(0, [Cell(heading.upper(), Style.DIM) for heading in headings])
    widths = [max(len(row[column].text) for row in cells) for column in range(len(headings))]
    return "\n".join(_line(row, widths, paint, width) for row in cells)


def _cell(content: Cell | str) -> Cell:
    cell = content if isinstance(content, Cell) else Cell(content)
    return Cell(one_line(cell.text), cell.style)


def _line(row: Sequence[Cell], widths: Sequence[int], paint: Paint, limit: int | None) -> str:
    parts, used = [], 0
    for cell, width in zip(row, widths, strict=True):
        text = cell.text if limit is None else cut(cell.text, limit - used)
        last = cell is row[-1]
        parts.append(paint(text, cell.style) + ("" if last else " " * (width - len(text) + 2)))
        used += width + 2
    return "".join(parts).rstrip()
