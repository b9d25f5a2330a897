import re
import xml.etree.ElementTree as ET

import pytest

from bench.errors import DamagedFileError
from bench.report import rule_graph

DOT = """digraph snakemake_dag {
    node[shape=box];
\t0[label = "all", color = "0.1 0.6 0.85", style="rounded"];
\t1[label = "corpus", color = "0.1 0.6 0.85", style="rounded"];
\t2[label = "encode", color = "0.1 0.6 0.85", style="rounded"];
\t3[label = "index", color = "0.1 0.6 0.85", style="rounded"];
\t4[label = "search", color = "0.1 0.6 0.85", style="rounded"];
\t5[label = "bm25", color = "0.1 0.6 0.85", style="rounded"];
\t4 -> 0
\t1 -> 2
\t1 -> 3
\t2 -> 3
\t3 -> 4
\t2 -> 4
\t1 -> 5
}
"""


@pytest.fixture
def graph(tmp_path):
    (tmp_path / "rules.dot").write_text(DOT)
    return rule_graph.read(tmp_path / "rules.dot")


def test_an_edge_that_a_longer_way_implies_and_the_target_are_left_out(graph):
    assert {name: set(needs) for name, needs in graph.needs.items()} == {
        "corpus": set(),
        "encode": {"corpus"},
        "index": {"encode"},
        "search": {"index"},
        "bm25": {"corpus"},
    }


def test_the_drawing_has_a_box_per_rule_below_all_that_it_needs_and_no_two_boxes_overlap(graph):
    drawn = ET.fromstring(rule_graph.svg(graph))
    boxes = {
        box.find("text").text: {name: float(box.find("rect").get(name)) for name in ("x", "y", "width", "height")}
        for box in drawn.findall("g")
    }
    assert boxes.keys() == graph.needs.keys()
    assert all(boxes[name]["y"] > boxes[other]["y"] for name, needs in graph.needs.items() for other in needs)
    assert boxes["encode"]["y"] == boxes["bm25"]["y"]
    assert abs(boxes["encode"]["x"] - boxes["bm25"]["x"]) > boxes["encode"]["width"]
    assert len(drawn.findall("path")) == 4


def test_a_line_that_passes_a_layer_goes_through_a_point_of_its_own():
    needs = {"a": frozenset(), "b": frozenset("a"), "c": frozenset("b"), "d": frozenset("a"), "e": frozenset("dc")}
    line = max(re.findall(r'<path d="([^"]+)"', rule_graph.svg(rule_graph.graph(needs))), key=len)
    assert line.count("C") == 2


def test_the_line_that_closes_a_circle_is_drawn_apart_and_moves_no_box():
    needs = {
        "corpus": "",
        "project": "",
        "encode": ("corpus", "project", "distill"),
        "mine": ("encode",),
        "distill": ("mine",),
    }
    found = rule_graph.graph({name: frozenset(others) for name, others in needs.items()})
    assert found.returns == [("distill", "encode")]
    assert found.needs["encode"] == {"corpus", "project"}
    assert rule_graph.svg(found).count('class="line again"') == 1


def test_a_file_without_rules_is_refused(tmp_path):
    (tmp_path / "rules.dot").write_text("digraph {}")
    with pytest.raises(DamagedFileError, match=r"rules\.dot names no rule"):
        rule_graph.read(tmp_path / "rules.dot")
