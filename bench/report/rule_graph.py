"""The rules of a workflow as a drawing: a box per rule in layers, and a line from each rule to those that read its files."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from bench.errors import DamagedFileError

NODE = re.compile(r'^\s*(\d+)\[label = "([^"]+)"', re.MULTILINE)
EDGE = re.compile(r"^\s*(\d+) -> (\d+)", re.MULTILINE)
LEFT_OUT = ("all", "page", "rule_graph")  # the target, and what only the report is made by
BOX, GAP, ROW = 132, 14, 62  # width of a box, space between two, height of a layer
HEIGHT = 28
SWEEPS = 8

Needs = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Graph:
    """needs: the rules that each rule reads files of, without circles; returns: pairs (from, to) that would close one.

    Rules have circles where jobs have none: models that are trained are searched to train the next ones.
    """

    needs: Needs
    returns: Sequence[tuple[str, str]]


def read(path: Path) -> Graph:
    """Return the graph of a file in DOT; raises DamagedFileError for a file without a rule."""
    text = path.read_text()
    names = {number: name for number, name in NODE.findall(text) if name not in LEFT_OUT}
    if not names:
        raise DamagedFileError(f"{path} names no rule; give the graph of rules that the workflow writes, in DOT")
    edges = [(names[first], names[second]) for first, second in EDGE.findall(text) if first in names and second in names]
    return graph({name: frozenset(first for first, second in edges if second == name) for name in names.values()})


def graph(needs: Needs) -> Graph:
    """Return the graph without the edges that close a circle and without those that a longer way implies."""
    place = {name: number for number, name in enumerate(_ordered(needs))}
    forward = {name: {other for other in needs[name] if place[other] < place[name]} for name in place}
    above: dict[str, set[str]] = {}
    for name, direct in forward.items():
        above[name] = direct.union(*(above[other] for other in direct))
    kept = {
        name: frozenset(first for first in direct if not any(first in above[other] for other in direct))
        for name, direct in forward.items()
    }
    return Graph(kept, sorted((other, name) for name in place for other in needs[name] - forward[name] - {name}))


def _ordered(needs: Needs) -> list[str]:
    """Return the rules, each after what it needs; in a circle, the one that lacks the smallest part of its needs is next."""
    found: dict[str, None] = {}
    while len(found) < len(needs):
        lacking = {name: len(needs[name] - found.keys()) / max(1, len(needs[name])) for name in needs if name not in found}
        found[min(sorted(lacking), key=lacking.__getitem__)] = None
    return list(found)


@dataclass
class _Layers:
    """rows: names by layer from the top, a point of a line through a layer being a pair of rules; lines: points by edge."""

    rows: list[list[object]]
    lines: dict[tuple[str, str], list[object]] = field(default_factory=dict)


def _layered(needs: Needs) -> _Layers:
    """Put each rule below all that it needs, and the points of long lines into the layers between."""
    depth: dict[str, int] = {}
    for name in needs:  # each after what it needs
        depth[name] = 1 + max((depth[other] for other in needs[name]), default=-1)
    found = _Layers(rows=[[] for _ in range(1 + max(depth.values()))])
    for name, row in depth.items():
        found.rows[row].append(name)
    for name in depth:
        for other in sorted(needs[name]):
            between = range(depth[other] + 1, depth[name])
            for row in between:
                found.rows[row].append((other, name, row))
            found.lines[other, name] = [other, *((other, name, row) for row in between), name]
    return found


def _sorted_by_neighbours(layers: _Layers) -> None:
    """Order each layer by the mean place of its neighbours, down and up in turn (Sugiyama, Tagawa & Toda 1981)."""
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        links: dict[object, list[object]] = {}
        for points in layers.lines.values():
            for first, second in pairwise(points):
                links.setdefault(second if down else first, []).append(first if down else second)
        rows = layers.rows[1:] if down else layers.rows[-2::-1]
        before = layers.rows[0] if down else layers.rows[-1]
        for row in rows:
            place = {point: (number + 0.5) / len(before) for number, point in enumerate(before)}
            mean = {point: _mean([place[link] for link in links.get(point, [])]) for point in row}
            row.sort(key=mean.__getitem__)
            before = row


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.5


def svg(drawn: Graph) -> str:
    """Return the drawing as an SVG element, read from the top to the bottom; lines that close a circle are dashed."""
    layers = _layered(drawn.needs)
    _sorted_by_neighbours(layers)
    widths = [[BOX if isinstance(point, str) else GAP for point in row] for row in layers.rows]
    width = max(sum(row) + GAP * (len(row) + 1) for row in widths)
    at: dict[object, tuple[float, float]] = {}
    for number, (row, sizes) in enumerate(zip(layers.rows, widths, strict=True)):
        left = (width - sum(sizes) - GAP * (len(row) - 1)) / 2
        for point, size in zip(row, sizes, strict=True):
            at[point] = (left + size / 2, ROW * number + HEIGHT)
            left += size + GAP
    lines = [_line([at[point] for point in points]) for points in layers.lines.values()]
    again = [_return(at[first], at[second]) for first, second in drawn.returns]
    boxes = [_box(name, *at[name]) for name in drawn.needs]
    height = ROW * (len(layers.rows) - 1) + 2 * HEIGHT
    shape = f'viewBox="0 0 {width} {height}" width="{width}" style="max-height: {height}px"'
    return f'<svg {shape} role="img" aria-label="{len(boxes)} rules">{"".join([*lines, *again, *boxes])}</svg>'


def _line(points: Sequence[tuple[float, float]]) -> str:
    steps = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (y + to_y) / 2
        steps.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
    return f'<path d="{"".join(steps)}" class="line"/>'


def _return(start: tuple[float, float], end: tuple[float, float]) -> str:
    """Return a dashed line up to an earlier rule, along the right sides of both boxes."""
    (x, y), (to_x, to_y) = ((place[0] + BOX / 2, place[1]) for place in (start, end))
    side = max(x, to_x) + 4 * GAP
    return f'<path d="M{x:.1f} {y:.1f}C{side:.1f} {y:.1f} {side:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}" class="line again"/>'


def _box(name: str, x: float, y: float) -> str:
    corner = f'x="{x - BOX / 2:.1f}" y="{y - HEIGHT / 2:.1f}" width="{BOX}" height="{HEIGHT}" rx="6"'
    return f'<g class="rule"><rect {corner}/><text x="{x:.1f}" y="{y + 4:.1f}">{html.escape(name)}</text></g>'
