"""The drawing of a pipeline as one SVG document that stands alone."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from html import escape
from typing import Final

from ductile.insights.graph_layout import Box, Layout, Route, Size, layout
from ductile.insights.graph_view import GraphView, Kind, Part, Vertex
from ductile.model.run import Phase

_MARGIN: Final = 24.0
_LINE: Final = 17.0
_PADDING: Final = 11.0
#: A character of the fonts that are asked for is at most as wide.
_CHARACTER: Final = 7.5
_LONGEST: Final = 60
#: How far the slanted sides of a gate come in.
_SLANT: Final = 12.0
_ROUND: Final = 20.0
_FONT: Final = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
#: Fill and line by kind of vertex.
_COLOURS: Final = {
    Kind.START: ("#e8eefc", "#3257a8"),
    Kind.STEP: ("#ffffff", "#444c56"),
    Kind.GATE: ("#fff6dd", "#946c00"),
    Kind.JOIN: ("#e6f4ea", "#2c7a45"),
}
_INK: Final = "#1f2328"
_FAINT: Final = "#59636e"


def svg(view: GraphView) -> str:
    """The whole document, without scripts and without anything from elsewhere."""
    layouts = [
        layout(
            part,
            {each.id: _size(each) for each in part.vertices},
            {each.label: _label_size(each.label) for each in part.edges if each.label},
        )
        for part in view.parts
    ]
    width = max(each.size.width for each in layouts) + 2 * _MARGIN
    body: list[str] = []
    y = _MARGIN
    for part, placed in zip(view.parts, layouts, strict=True):
        x = (width - placed.size.width) / 2
        if part.phase is not Phase.MAIN:
            body.append(
                f'<line x1="{_MARGIN:g}" y1="{y:g}" x2="{width - _MARGIN:g}" y2="{y:g}" '
                'stroke="#d0d7de" stroke-dasharray="4 4"/>'
            )
            y += _MARGIN
        body.append(f'<g transform="translate({x:g} {y:g})">')
        body += _part(part, placed)
        body.append("</g>")
        y += placed.size.height + _MARGIN
    return "\n".join([*_head(view.name, Size(width, y)), *body, "</svg>"])


def _head(name: str, size: Size) -> Iterator[str]:
    box = f"0 0 {size.width:g} {size.height:g}"
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size.width:g}" height="{size.height:g}" '
        f'viewBox="{box}" role="img" font-family="{escape(_FONT)}" font-size="12">'
    )
    yield f"<title>{_text(f'pipeline {name}')}</title>"
    yield (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="{_FAINT}"/></marker></defs>'
    )
    yield f'<rect width="{size.width:g}" height="{size.height:g}" fill="#ffffff"/>'


def _part(part: Part, placed: Layout) -> Iterator[str]:
    # Boxes over lines, labels over both.
    for route in placed.routes:
        yield _line(route)
    for vertex in part.vertices:
        yield from _vertex(vertex, placed.boxes[vertex.id])
    for route in placed.routes:
        if route.label is not None:
            yield from _label(route.edge.label, route.label)


def _size(vertex: Vertex) -> Size:
    lines = _lines(vertex)
    width = max(len(line) for line, _ in lines) * _CHARACTER + 2 * _PADDING + 2 * _SLANT
    return Size(width, len(lines) * _LINE + 2 * _PADDING)


def _label_size(label: str) -> Size:
    lines = _wrapped(label)
    return Size(max(map(len, lines)) * _CHARACTER + _PADDING, len(lines) * _LINE)


def _lines(vertex: Vertex) -> list[tuple[str, bool]]:
    """Each line, and whether it is one of the title."""
    title = [(line, True) for line in _wrapped(vertex.title)]
    return title + [(line, False) for note in vertex.notes for line in _wrapped(note)]


def _wrapped(text: str) -> list[str]:
    """On several lines where it is long; only a word that is too long by itself is cut."""
    lines = textwrap.wrap(text, _LONGEST, break_long_words=False, break_on_hyphens=False)
    return [_cut(line) for line in lines] or [""]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _vertex(vertex: Vertex, box: Box) -> Iterator[str]:
    yield "<g>"
    yield f"<title>{_text(' | '.join((vertex.title, *vertex.notes)))}</title>"
    yield _shape(vertex.kind, box)
    for number, (line, bold) in enumerate(_lines(vertex)):
        y = box.y + _PADDING + _LINE * (number + 0.75)
        look = f'font-weight="bold" fill="{_INK}"' if bold else f'fill="{_FAINT}"'
        yield (
            f'<text x="{box.middle:g}" y="{y:g}" text-anchor="middle" {look}>{_text(line)}</text>'
        )
    yield "</g>"


def _shape(kind: Kind, box: Box) -> str:
    fill, line = _COLOURS[kind]
    look = f'fill="{fill}" stroke="{line}"'
    left, right, bottom = box.x, box.x + box.width, box.y + box.height
    if kind is Kind.GATE:
        middle = box.y + box.height / 2
        points = (
            f"{left:g},{middle:g} {left + _SLANT:g},{box.y:g} {right - _SLANT:g},{box.y:g} "
            f"{right:g},{middle:g} {right - _SLANT:g},{bottom:g} {left + _SLANT:g},{bottom:g}"
        )
        return f'<polygon points="{points}" {look}/>'
    if kind is Kind.JOIN:
        points = (
            f"{left:g},{box.y:g} {right:g},{box.y:g} {right - _SLANT:g},{bottom:g} "
            f"{left + _SLANT:g},{bottom:g}"
        )
        return f'<polygon points="{points}" {look}/>'
    # No more than the padding lets the corners of the text be.
    round_by = min(box.height / 2, _ROUND) if kind is Kind.START else 4
    return (
        f'<rect x="{left:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" '
        f'rx="{round_by:g}" {look}/>'
    )


def _line(route: Route) -> str:
    """Straight through lanes, in a curve from one layer to the next."""
    (x, y), *rest = route.points
    path = [f"M{x:g} {y:g}"]
    for next_x, next_y in rest:
        half = (next_y - y) / 2
        path.append(f"C{x:g} {y + half:g} {next_x:g} {next_y - half:g} {next_x:g} {next_y:g}")
        x, y = next_x, next_y
    return f'<path d="{"".join(path)}" fill="none" stroke="{_FAINT}" marker-end="url(#arrow)"/>'


def _label(label: str, box: Box) -> Iterator[str]:
    """On a ground of its own, over the edge."""
    yield (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" '
        'fill="#ffffff"/>'
    )
    for number, line in enumerate(_wrapped(label)):
        y = box.y + _LINE * (number + 0.75)
        yield (
            f'<text x="{box.middle:g}" y="{y:g}" text-anchor="middle" font-size="11" '
            f'fill="{_FAINT}">{_text(line)}</text>'
        )


def _text(text: str) -> str:
    """Escaped, and without characters that XML cannot hold."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))
