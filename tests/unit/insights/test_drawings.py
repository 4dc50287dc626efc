"""Drawings as pictures: nothing overlaps, no text is cut or sticks out, everything is in view."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final
from xml.etree import ElementTree

import pytest

from ductile.insights.graph_svg import svg
from ductile.insights.graph_view import graph_view
from tests.unit.dsl.builders import compiled

SVG: Final = "{http://www.w3.org/2000/svg}"
#: What a character of the widest of the fonts takes at size 12.
CHARACTER: Final = 7.3
LONG_CONDITION: Final = (
    "{all: [{path: payload.length, op: gt, value: 30}, {path: payload.title, op: exists}, "
    "{not: {path: context.muted, op: eq, value: true}}, {path: payload.url, op: exists}]}"
)
PIPELINES: Final = {
    "linear": """
        on: discord.video_shared
        from: discord-receiver
        if: {path: payload.url, op: exists}
        timeout: 30m
        steps:
          - {uses: fetch, timeout: 2m, retry: {max_attempts: 5, backoff_base: 5s}}
          - {uses: summary, with: {url: "{payload.url}"}, baggage: {report.url: payload.url}}
        """,
    "split and join": f"""
        on: article.ready
        steps:
          - uses: fetch
          - split:
              - {{uses: notify, if: {{path: payload.channel, op: exists}}}}
              - steps: [{{uses: archive}}, {{uses: summary}}, {{uses: echo}}]
              - {{uses: echo.poll, id: a-step-with-quite-a-long-name, if: {LONG_CONDITION}}}
          - uses: archive
        """,
    "nested calls": f"""
        on: article.ready
        steps:
          - uses: fetch
          - {{call: outer, if: {LONG_CONDITION}}}
          - uses: notify
        """,
    "on_events": """
        on: post.written
        steps:
          - id: check
            uses: fetch
            on_events:
              quality.high: [publish]
              quality.low: [review]
              quality.none: []
              quality.unclear: [review, tell]
              "*": [tidy]
          - {id: review, uses: echo, on_events: {passed: [publish], failed: [tidy]}}
          - {id: publish, uses: summary, on_events: {done: [tell]}}
          - {id: tell, uses: notify, on_events: {done: [tidy]}}
          - {id: tidy, uses: archive}
        """,
    "on_failure": """
        on: [video.changed, video.linked, video.mentioned, video.posted, video.quoted]
        steps: [{uses: fetch}]
        on_failure: [{uses: notify}, {split: [{uses: echo}, {uses: summary}]}]
        finally: [{uses: archive, if: {path: failure, op: exists}}]
        """,
}
CALLED: Final = """
pipelines:
  - {name: outer, on: x, steps: [{uses: echo}, {call: inner}, {uses: summary}]}
  - {name: inner, on: y, steps: [{split: [{uses: archive}, {uses: notify}]}]}
"""


@dataclass(frozen=True)
class Area:
    """A shape, or the ground of a label, with the texts on it."""

    left: float
    top: float
    right: float
    bottom: float
    slant: float
    texts: tuple[tuple[float, float, str], ...]

    def meets(self, other: Area) -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def drawing(name: str) -> ElementTree.Element:
    text = f"pipelines:\n  - name: p\n{PIPELINES[name]}".replace("\n        ", "\n    ")
    pipeline = compiled(text, CALLED).get("p")
    assert pipeline is not None
    return ElementTree.fromstring(svg(graph_view(pipeline)))


def numbers(text: str) -> list[float]:
    return [float(each) for each in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]


def parts(root: ElementTree.Element) -> Iterator[tuple[ElementTree.Element, float, float]]:
    """Each part of the drawing, and where it is put."""
    for part in root.findall(f"{SVG}g"):
        x, y = numbers(part.attrib["transform"])
        yield part, x, y


def areas(root: ElementTree.Element) -> list[Area]:
    found: list[Area] = []
    for part, x, y in parts(root):
        shapes = [list(each)[1:] for each in part.findall(f"{SVG}g")]
        label: list[ElementTree.Element] = []
        for each in part:
            if each.tag == f"{SVG}rect":
                label = [each]
                shapes.append(label)
            elif each.tag == f"{SVG}text":
                label.append(each)
        found += [area(shape, texts, x, y) for shape, *texts in shapes]
    return found


def area(shape: ElementTree.Element, texts: list[ElementTree.Element], x: float, y: float) -> Area:
    if shape.tag == f"{SVG}polygon":
        corners = numbers(shape.attrib["points"])
        across, down = corners[::2], corners[1::2]
        left, right, top, bottom = min(across), max(across), min(down), max(down)
        slant = sorted(set(across))[1] - left
    else:
        at = {key: float(shape.attrib[key]) for key in ("x", "y", "width", "height")}
        left, top = at["x"], at["y"]
        right, bottom, slant = left + at["width"], top + at["height"], 0.0
    written = tuple(
        (x + float(each.attrib["x"]), y + float(each.attrib["y"]), each.text or "")
        for each in texts
    )
    return Area(x + left, y + top, x + right, y + bottom, slant, written)


@pytest.fixture(params=list(PIPELINES))
def root(request: pytest.FixtureRequest) -> ElementTree.Element:
    return drawing(request.param)


def test_no_two_boxes_or_labels_overlap(root: ElementTree.Element) -> None:
    assert not [pair for pair in combinations(areas(root), 2) if pair[0].meets(pair[1])]


def test_all_text_is_inside_its_box(root: ElementTree.Element) -> None:
    for each in areas(root):
        assert each.texts
        for middle, base, text in each.texts:
            half = len(text) * CHARACTER / 2
            assert each.left + each.slant <= middle - half, text
            assert middle + half <= each.right - each.slant, text
            assert each.top <= base - 9 <= base + 3 <= each.bottom, text


def test_everything_is_in_view(root: ElementTree.Element) -> None:
    _, _, width, height = numbers(root.attrib["viewBox"])
    for each in areas(root):
        assert 0 <= each.left < each.right <= width
        assert 0 <= each.top < each.bottom <= height
    for part, x, y in parts(root):
        for line in part.findall(f"{SVG}path"):
            points = numbers(line.attrib["d"])
            assert all(0 <= x + each <= width for each in points[::2])
            assert all(0 <= y + each <= height for each in points[1::2])


def test_no_text_is_cut(root: ElementTree.Element) -> None:
    assert "…" not in "".join(root.itertext())


def test_no_edge_runs_over_a_box(root: ElementTree.Element) -> None:
    found = areas(root)
    for part, x, y in parts(root):
        for line in part.findall(f"{SVG}path"):
            points = [(x + px, y + py) for px, py in curve(numbers(line.attrib["d"]))]
            for box in found:
                inside = [
                    (px, py)
                    for px, py in points[1:-1]
                    if box.left + 1 < px < box.right - 1 and box.top + 1 < py < box.bottom - 1
                ]
                # A label stands on its edge.
                on_its_label = box.bottom - box.top < 30 and all(
                    abs(px - (box.left + box.right) / 2) < 1 for px, _ in inside
                )
                assert not inside or on_its_label


def curve(values: list[float]) -> list[tuple[float, float]]:
    """Points along a path of cubic curves."""
    corners = list(zip(values[::2], values[1::2], strict=True))
    found = []
    for start in range(0, len(corners) - 1, 3):
        a, b, c, d = corners[start : start + 4]
        for step in range(21):
            t = step / 20
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            x = sum(w * p[0] for w, p in zip(weights, (a, b, c, d), strict=True))
            y = sum(w * p[1] for w, p in zip(weights, (a, b, c, d), strict=True))
            found.append((x, y))
    return found


def test_every_way_out_of_a_step_has_its_label() -> None:
    texts = {each.text for each in drawing("on_events").iter(f"{SVG}text")}
    wanted = {"quality.high", "quality.low, quality.unclear", "quality.unclear", "any other"}
    assert wanted <= texts
