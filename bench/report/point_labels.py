"""Names beside the points of a figure: no name covers another one, a point, or a line."""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.path import Path
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

BESIDE = (1.4, 2.2)  # from the middle of a point to a name, in sizes of its marker
AWAY = (3.2, 4.4, 5.6, 7.0, 9.0)  # the same, where a thin line joins the two
SIDES = ((1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1), (0, 1), (0, -1))
ACROSS, ALONG = {1: "left", 0: "center", -1: "right"}, {1: "bottom", 0: "center", -1: "top"}
LEADER: Any = {"arrowstyle": "-", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 0}


class Named(NamedTuple):
    """A point of a figure in the units of its axes, its name and the colour of that."""

    x: float
    y: float
    name: str
    colour: str = "black"


def name_points(axes: Axes, points: Sequence[Named], markersize: float, fontsize: float) -> None:
    """Write the name of each point beside it, or farther away with a line to it; points that come first choose first.

    The figure must be laid out. markersize, fontsize: in points. A name for which there is no room is left out.
    """
    drawn = [(line, line.get_path()) for line in axes.lines if line.get_linestyle() != "None"]
    free = [line.get_transform().transform_path(path) for line, path in drawn if len(np.asarray(path.vertices)) > 1]
    half, dots = markersize * axes.figure.dpi / 144, axes.figure.dpi / 72
    places = axes.transData.transform([(point.x, point.y) for point in points])
    taken = [Bbox.from_bounds(x - half, y - half, 2 * half, 2 * half) for x, y in places]
    for number, point in enumerate(points):
        text = axes.annotate(point.name, (0, 0), xycoords="figure pixels", fontsize=fontsize, color=point.colour)
        size = text.get_window_extent().size
        for distance, (right, up) in itertools.product((*BESIDE, *AWAY), SIDES):
            away = distance * markersize * dots * (0.7 if right and up else 1)
            x, y = places[number] + np.array([right, up]) * away + (np.array([right, up]) - 1) / 2 * size
            box, joined = Bbox.from_bounds(x, y, *size), distance in AWAY
            if _has_room(axes, box, joined, number, places, taken, free):
                taken.append(box)
                _write(axes, point, (right, up), away / dots, fontsize, joined=joined)
                break
        text.remove()


def letters(text: Annotation) -> Bbox:
    """Return the box of the letters of a name in pixels, without the line to its point."""
    text.get_window_extent()  # moves it to its place
    return Text.get_window_extent(text)


def _write(axes: Axes, point: Named, side: tuple[int, int], away: float, size: float, *, joined: bool) -> None:
    right, up = side
    line = {"arrowprops": {**LEADER, "color": point.colour}} if joined else {}
    place: Any = {"xytext": (right * away, up * away), "textcoords": "offset points", "fontsize": size, **line}
    axes.annotate(point.name, (point.x, point.y), ha=ACROSS[right], va=ALONG[up], color=point.colour, **place)


def _has_room(
    axes: Axes, box: Bbox, joined: bool, number: int, places: np.ndarray, taken: Sequence[Bbox], free: Sequence[Path]
) -> bool:
    within = axes.get_window_extent()
    if not (within.contains(*box.min) and within.contains(*box.max)):
        return False
    if any(box.overlaps(other) for other in taken) or any(path.intersects_bbox(box, filled=False) for path in free):
        return False
    if not joined:  # then the name belongs to the point that is nearest
        return min(range(len(places)), key=lambda place: _gap(box, *places[place])) == number
    line = Path([places[number], ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)])
    return not any(line.intersects_bbox(other, filled=True) for other in taken[len(places) :])


def _gap(box: Bbox, x: float, y: float) -> float:
    """Return the distance between a box and a point outside of it."""
    return float(np.hypot(max(box.x0 - x, 0, x - box.x1), max(box.y0 - y, 0, y - box.y1)))
