"""Figure 5: quality and overlap against bytes per vector."""

import itertools

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from bench.codec.names import FAMILIES, UNCOMPRESSED, family_of
from bench.config import pools
from bench.config.presets import REFERENCE
from bench.report.deviations import cells
from bench.report.figures import FAMILY_COLOURS, MARKERS, STYLE, codec_colour
from bench.report.point_labels import Named, name_points
from bench.report.pooled import PER_VECTOR, rate

PAPERS, GREY = "residual", "#666666"
MARKER_SIZE = 4.5
TICKS = (12, 16, 24, 32, 48, 72, 136)  # bytes per vector
DECADE = 10
MERGED = "merged alone"  # the label of uncompressed vectors after merging


def quality_against_rate(frame: pd.DataFrame) -> Figure:
    """Figure 5: headline measure and overlap against bytes per vector, exhaustive search; a row per data set and model.

    A marker and colour per family of codecs, lighter the fewer bytes, those of the paper joined by a line; dashed:
    uncompressed vectors. Beside a point: bits or bytes, how many times as many centroids as the paper has, and t for
    centroids within tokens; in brackets the pool factor of merged vectors, with which the bytes are per passage. Those
    without a codec are crosses.
    """
    bytes_of, title_of_bytes = rate(frame)
    exact = frame[frame["preset"] == REFERENCE[1]]
    panels = list(exact.groupby(["dataset", "model"], sort=False))
    overlap = [str(name) for name in frame if str(name).startswith("overlap@")][-1]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 2.5 * len(panels) + 0.4), layout="constrained")
        for position, ((_, model), rows) in enumerate(panels):
            marked = cells(rows["dataset"], rows["deviations"])[0]
            for column, (name, title) in enumerate((("value", rows["headline"].iloc[0]), (overlap, overlap))):
                axes = figure.add_subplot(len(panels), 2, 2 * position + column + 1)
                _panel(axes, rows, bytes_of, name, title)
                axes.set_title(f"{marked}, {model}")
                if position == len(panels) - 1:
                    axes.set_xlabel(f"{title_of_bytes}, everything counted")
        found = [axes.get_legend_handles_labels() for axes in figure.axes]
        drawn = {label: handle for handles, labels in found for handle, label in zip(handles, labels, strict=True)}
        figure.legend(drawn.values(), drawn, loc="outside lower center", ncols=len(drawn), frameon=False, fontsize=7)
        figure.draw_without_rendering()
        for position, (_, rows) in enumerate(panels):
            for axes, name in zip(figure.axes[2 * position : 2 * position + 2], ("value", overlap), strict=True):
                _name_points(axes, rows[rows["codec"] != UNCOMPRESSED], bytes_of, name)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, bytes_of: str, column: str, title: str) -> None:
    names = rows["codec"].map(pools.split)
    plain, factors = names.str[0], names.str[1]
    coded = plain != UNCOMPRESSED
    for (number, family), factor in itertools.product(enumerate(FAMILIES), sorted(set(factors))):
        points = rows[(plain.where(coded).map(family_of, na_action="ignore") == family) & (factors == factor)]
        if points.empty:
            continue
        points = points.sort_values(bytes_of)
        axes.plot(
            points[bytes_of],
            points[column],
            linestyle="-" if family == PAPERS else "",
            linewidth=0.9,
            marker=MARKERS[number],
            markersize=MARKER_SIZE,
            color=FAMILY_COLOURS[family],
            label="residual (the paper's)" if family == PAPERS else family,
        )
        for codec, *place in points[["codec", bytes_of, column]].itertuples(index=False):
            axes.plot(*place, marker=MARKERS[number], markersize=MARKER_SIZE, color=codec_colour(codec))
    if len(merged := rows[~coded & (factors != pools.NONE)]):
        axes.plot(merged[bytes_of], merged[column], "x", markersize=MARKER_SIZE, color=GREY, label=MERGED)
    for value in rows.loc[rows["codec"] == UNCOMPRESSED, column]:
        axes.axhline(value, linestyle="--", color=GREY, linewidth=0.8, label="uncompressed")
    axes.margins(y=0.12)  # room for the names of the lowest points
    axes.set_xscale("log", base=2)
    if bytes_of == PER_VECTOR:
        axes.set_xticks(TICKS, [str(tick) for tick in TICKS])
    else:
        wide = rows[bytes_of].max() >= DECADE * rows[bytes_of].min()
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if wide else MaxNLocator(4))
        axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.minorticks_off()
    axes.set_ylabel(title)
    axes.grid(color="#dddddd", linewidth=0.5)
    axes.set_axisbelow(True)


def _name_points(axes: Axes, rows: pd.DataFrame, bytes_of: str, column: str) -> None:
    """Write beside each point what its family leaves open."""
    names = []
    for codec, size, value in rows[["codec", bytes_of, column]].itertuples(index=False):
        plain, factor = pools.split(codec)
        text = "" if plain == UNCOMPRESSED else plain.rpartition("-")[2].replace("x", "×")
        text = text if factor == pools.NONE else f"{text} (pool {factor})".lstrip()
        names.append(Named(size, value, text, GREY if plain == UNCOMPRESSED else FAMILY_COLOURS[family_of(plain)]))
    name_points(axes, names, MARKER_SIZE, 5.5)
