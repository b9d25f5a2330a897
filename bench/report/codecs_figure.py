"""Figure 5: quality and overlap against bytes per vector."""

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.codec.names import FAMILIES, UNCOMPRESSED, family_of
from bench.config.presets import REFERENCE
from bench.report.deviations import cells
from bench.report.figures import FAMILY_COLOURS, MARKERS, STYLE, codec_colour
from bench.report.point_labels import Named, name_points

PAPERS = "residual"
MARKER_SIZE = 4.5


def quality_against_rate(frame: pd.DataFrame) -> Figure:
    """Figure 5: headline measure and overlap against bytes per vector, exhaustive search; a row per data set and model.

    A marker and colour per family of codecs, lighter the fewer bytes, those of the paper joined by a line; dashed:
    uncompressed vectors. Beside a point: bits or bytes, how many times as many centroids as the paper has, and t for
    centroids within tokens.
    """
    exact = frame[frame["preset"] == REFERENCE[1]]
    panels = list(exact.groupby(["dataset", "model"], sort=False))
    overlap = [str(name) for name in frame if str(name).startswith("overlap@")][-1]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 2.5 * len(panels) + 0.4), layout="constrained")
        for position, ((_, model), rows) in enumerate(panels):
            marked = cells(rows["dataset"], rows["deviations"])[0]
            for column, (name, title) in enumerate((("value", rows["headline"].iloc[0]), (overlap, overlap))):
                axes = figure.add_subplot(len(panels), 2, 2 * position + column + 1)
                _panel(axes, rows, name, title)
                axes.set_title(f"{marked}, {model}")
                if position == len(panels) - 1:
                    axes.set_xlabel("bytes per vector, everything counted")
        found = [axes.get_legend_handles_labels() for axes in figure.axes]
        drawn = {label: handle for handles, labels in found for handle, label in zip(handles, labels, strict=True)}
        figure.legend(drawn.values(), drawn, loc="outside lower center", ncols=len(drawn), frameon=False, fontsize=7)
        figure.draw_without_rendering()
        for position, (_, rows) in enumerate(panels):
            for axes, name in zip(figure.axes[2 * position : 2 * position + 2], ("value", overlap), strict=True):
                _name_points(axes, rows[rows["codec"] != UNCOMPRESSED], name)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, column: str, title: str) -> None:
    coded = rows[rows["codec"] != UNCOMPRESSED]
    for number, family in enumerate(FAMILIES):
        points = coded[coded["codec"].map(family_of) == family].sort_values("bytes_per_vector")
        if points.empty:
            continue
        axes.plot(
            points["bytes_per_vector"],
            points[column],
            linestyle="-" if family == PAPERS else "",
            linewidth=0.9,
            marker=MARKERS[number],
            markersize=MARKER_SIZE,
            color=FAMILY_COLOURS[family],
            label="residual (the paper's)" if family == PAPERS else family,
        )
        for codec, *place in points[["codec", "bytes_per_vector", column]].itertuples(index=False):
            axes.plot(*place, marker=MARKERS[number], markersize=MARKER_SIZE, color=codec_colour(codec))
    for value in rows.loc[rows["codec"] == UNCOMPRESSED, column]:
        axes.axhline(value, linestyle="--", color="#666666", linewidth=0.8, label="uncompressed")
    axes.margins(y=0.12)  # room for the names of the lowest points
    axes.set_xscale("log", base=2)
    ticks = [12, 16, 24, 32, 48, 72, 136]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_ylabel(title)
    axes.grid(color="#dddddd", linewidth=0.5)
    axes.set_axisbelow(True)


def _name_points(axes: Axes, rows: pd.DataFrame, column: str) -> None:
    names = [
        Named(size, value, codec.rpartition("-")[2].replace("x", "×"), FAMILY_COLOURS[family_of(codec)])
        for codec, size, value in rows[["codec", "bytes_per_vector", column]].itertuples(index=False)
    ]
    name_points(axes, names, MARKER_SIZE, 5.5)
