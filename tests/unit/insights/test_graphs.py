"""Drawings of pipelines: their parts, where things stand, and that nothing escapes."""

from __future__ import annotations

from itertools import combinations
from xml.etree import ElementTree

from ductile.dsl.definition import pipeline_of
from ductile.dsl.graph import Step
from ductile.insights.graph_layout import Box, Size, layout
from ductile.insights.graph_mermaid import mermaid
from ductile.insights.graph_svg import svg
from ductile.insights.graph_view import Edge, GraphView, Kind, Part, Vertex, graph_view
from ductile.model.run import Phase
from tests.unit.insights.pipelines import a_pipeline

VIEW = graph_view(a_pipeline())
NASTY = "</text><script>alert('x')</script>\"]; end & \x1b"


def nasty_view() -> GraphView:
    vertices = (Vertex("", Kind.START, NASTY), Vertex("a", Kind.GATE, NASTY, (NASTY,)))
    return GraphView(NASTY, (Part(Phase.MAIN, vertices, (Edge("", "a", NASTY),)),))


def apart(one: Box, other: Box) -> bool:
    return (
        one.x + one.width <= other.x
        or other.x + other.width <= one.x
        or one.y + one.height <= other.y
        or other.y + other.height <= one.y
    )


def test_each_part_has_its_own_nodes() -> None:
    parts = {part.phase: [each.id for each in part.vertices][1:] for part in VIEW.parts}

    assert parts[Phase.ON_FAILURE] == ["alert"]
    assert parts[Phase.FINALLY] == ["cleanup"]
    assert "report:join" in parts[Phase.MAIN]


def test_edges_say_when_they_are_taken() -> None:
    labels = {(each.source, each.target): each.label for each in VIEW.parts[0].edges}

    assert labels["check", "publish:if"] == "quality.high"
    assert labels["publish:if", "publish/post"] == "holds"
    assert labels["publish:if", "notify"] == "otherwise"
    assert labels["archive", "index"] == ""


def test_what_has_to_happen_stands_at_the_start() -> None:
    start = VIEW.parts[0].vertices[0]

    assert (start.title, start.notes) == (
        "on video.shared",
        ("from receiver", "if payload.url exists"),
    )


def test_a_type_that_leads_nowhere_is_told() -> None:
    [check] = [each for each in VIEW.parts[0].vertices if each.id == "check"]

    assert "quality.none: ends" in check.notes


def test_no_two_boxes_overlap() -> None:
    part = VIEW.parts[0]
    placed = layout(part, {each.id: Size(100 + 7 * len(each.id), 40) for each in part.vertices})

    assert all(apart(one, other) for one, other in combinations(placed.boxes.values(), 2))


def test_every_edge_goes_down() -> None:
    part = VIEW.parts[0]
    placed = layout(part, {each.id: Size(100, 40) for each in part.vertices})

    for route in placed.routes:
        heights = [y for _, y in route.points]
        assert heights == sorted(heights)


def test_an_edge_goes_around_what_stands_between_its_ends() -> None:
    vertices = tuple(Vertex(each, Kind.STEP, each) for each in ("", "a", "b"))
    part = Part(Phase.MAIN, vertices, (Edge("", "a"), Edge("a", "b"), Edge("", "b")))

    placed = layout(part, {each.id: Size(100, 40) for each in vertices})

    [long] = [each for each in placed.routes if each.edge == Edge("", "b")]
    between = placed.boxes["a"]
    passed = [x for x, y in long.points if between.y <= y <= between.y + between.height]
    assert passed
    assert not [x for x in passed if between.x <= x <= between.x + between.width]


def test_a_svg_is_whole_and_stands_alone() -> None:
    root = ElementTree.fromstring(svg(VIEW))

    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"check", "on video.shared", "on_failure", "finally", "quality.high"} <= set(texts)
    assert not [each for each in root.iter() if "href" in str(each.attrib)]


def test_everything_is_within_the_svg() -> None:
    root = ElementTree.fromstring(svg(VIEW))

    width = float(root.attrib["width"])
    boxes = root.iter("{http://www.w3.org/2000/svg}rect")
    assert all(float(each.attrib.get("x", 0)) <= width for each in boxes)


def test_a_svg_takes_no_text_for_markup() -> None:
    text = svg(nasty_view())

    root = ElementTree.fromstring(text)
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))
    assert "\x1b" not in text


def test_a_mermaid_chart_takes_no_text_for_its_own() -> None:
    text = mermaid(nasty_view())

    assert "<script" not in text
    assert all(line.count('"') in (0, 2) for line in text.splitlines())


def test_a_mermaid_chart_has_every_edge_and_part() -> None:
    text = mermaid(VIEW)

    assert 'subgraph p1["on_failure"]' in text
    assert '-->|"quality.high"|' in text
    assert text.count("-->") == sum(len(part.edges) for part in VIEW.parts)


def test_a_pipeline_of_a_thousand_steps_is_drawn() -> None:
    steps = {f"s{n}": Step(f"s{n}", "echo", "handle", (f"s{n + 1}",)) for n in range(999)}
    steps["s999"] = Step("s999", "echo", "handle")

    pipeline = pipeline_of(name="long", on=("a.b",), entries=("s0",), nodes=steps)

    assert svg(graph_view(pipeline)).count("<polygon") == 0
