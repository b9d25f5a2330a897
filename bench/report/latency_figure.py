"""Figure 3: quality against the time of a query."""

import itertools
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator

from bench.config import pools
from bench.report.figures import MARKERS, STYLE, codec_colour, named
from bench.report.latency import pareto
from bench.report.point_labels import Named, name_points

MARKER_SIZE = 5
LEAST_SPAN = 0.01  # of the quality axis: a difference in the fourth digit must not look like one
GREY = "#888888"
FRONT = "Pareto front: no other\nis quicker and better"
RINGS: Any = {
    "label": FRONT,
    "color": GREY,
    "linewidth": 1,
    "marker": "o",
    "markersize": 2 * MARKER_SIZE,
    "markerfacecolor": "none",
    "markeredgewidth": 0.7,
    "zorder": 1,
}


def quality_against_latency(latency: pd.DataFrame) -> Figure:
    """Figure 3: headline measure against the p50 of single queries, a panel per data set, model and number of threads.

    A marker per preset, a colour per codec, and a line through the points that no other one beats in both. Names stand
    beside the points as far as there is room, those on the line first.
    """
    panels = list(latency.groupby(["dataset", "model", "threads"], sort=False))
    codecs, presets = (list(dict.fromkeys(latency[axis])) for axis in ("codec", "preset"))
    styles = {
        (codec, preset): (codec_colour(codec), MARKERS[place % len(MARKERS)])
        for codec, (place, preset) in itertools.product(codecs, enumerate(presets))
    }
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.4 * len(panels) + 1, 3.4), layout="constrained")
        for position, ((dataset, model, threads), rows) in enumerate(panels):
            axes = figure.add_subplot(1, len(panels), position + 1)
            _panel(axes, rows, styles)
            axes.set_title(f"{dataset}, {model}, {threads} thread{'s' if threads > 1 else ''}")
        figure.axes[-1].legend(
            handles=_legend(codecs, presets, styles),
            frameon=False,
            fontsize=6.5,
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
        )
        figure.draw_without_rendering()
        for axes, (_, rows) in zip(figure.axes, panels, strict=True):
            _name_points(axes, rows)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, styles: dict[tuple[str, str], tuple[str, str]]) -> None:
    for row in rows.itertuples():
        colour, marker = styles[str(row.codec), str(row.preset)]
        axes.plot([row.p50], [row.value], linestyle="", marker=marker, color=colour, markersize=MARKER_SIZE)
    front = rows[_front(rows)].sort_values("p50")
    axes.plot(front["p50"], front["value"], **RINGS)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.minorticks_off()
    axes.margins(x=0.2, y=0.2)
    low, high = axes.get_ylim()
    if high - low < LEAST_SPAN:
        axes.set_ylim((low + high - LEAST_SPAN) / 2, (low + high + LEAST_SPAN) / 2)
    axes.set_xlabel("p50 of a query, ms, from vectors to ranking")
    axes.set_ylabel(str(rows["headline"].iloc[0]))
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def _front(rows: pd.DataFrame) -> "pd.Series[bool]":
    return pd.Series(pareto(rows["p50"].to_numpy(float), rows["value"].to_numpy(float)), rows.index)


def _legend(codecs: list[str], presets: list[str], styles: dict[tuple[str, str], tuple[str, str]]) -> list[Line2D]:
    point: Any = {"xdata": [], "ydata": [], "linestyle": "", "markersize": MARKER_SIZE}
    squares = [Line2D(**point, marker="s", color=styles[codec, presets[0]][0], label=pools.label(codec)) for codec in codecs]
    hollow = {**point, "color": "#666666", "markerfacecolor": "none"}
    shapes = [Line2D(**hollow, marker=styles[codecs[0], preset][1], label=preset) for preset in presets]
    return [*squares, *shapes, Line2D([], [], **RINGS)]


def _name_points(axes: Axes, rows: pd.DataFrame) -> None:
    """Write preset and codec beside each point, those on the front first."""
    ordered = rows.loc[_front(rows).sort_values(ascending=False, kind="stable").index]
    names = [Named(row.p50, row.value, f"{row.preset}, {named(str(row.codec))}") for row in ordered.itertuples()]
    name_points(axes, names, MARKER_SIZE, 6)
