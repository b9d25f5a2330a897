"""Figure 8: the loss of every compressed run, the part of its codec and the part of its engine on top of each other."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from bench.report.deviations import cells
from bench.report.figures import STYLE, codec_colour

GREY = "#999999"
ENGINE: Any = {"hatch": "/////", "alpha": 0.55}


def loss_by_part(frame: pd.DataFrame) -> Figure:
    """Figure 8: what each run loses of the headline measure, a bar per run and a panel per data set and model.

    Plain: the part of the codec; hatched: the part of the engine; both in the colour of the codec. Losses go to
    the right and gains to the left. The diamond is the sum, with its 95 % interval over queries. A run whose codec was not
    searched exhaustively has the diamond alone. Panels of one measure have one scale.
    """
    panels = list(frame.groupby(["dataset", "model"], sort=False))
    rows = [len(part) for _, part in panels]
    shared = frame["headline"].nunique() == 1
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.2, 0.2 * sum(rows) + 0.55 * len(panels) + 0.9), layout="constrained")
        drawn = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[count + 1 for count in rows], sharex=shared)
        for axes, ((_, model), part) in zip(drawn[:, 0], panels, strict=True):
            _panel(axes, part)
            if shared:
                axes.label_outer()
            axes.set_title(f"{cells(part['dataset'], part['deviations'])[0]}, {model}")
        figure.legend(handles=_legend(), loc="outside lower center", ncols=4, frameon=False, fontsize=7)
    return figure


def _panel(axes: Axes, part: pd.DataFrame) -> None:
    places = np.arange(len(part))
    codec, engine = (-part[name].to_numpy(float) for name in ("codec_loss", "engine_loss"))
    start = np.where(codec * engine > 0, codec, 0.0)
    colours = [codec_colour(name) for name in part["codec"]]
    style: Any = {"height": 0.7, "color": colours, "edgecolor": "white", "linewidth": 0.4}
    axes.barh(places, np.nan_to_num(codec), **style)
    axes.barh(places, np.nan_to_num(engine), left=np.nan_to_num(start), **ENGINE, **style)
    axes.plot(-part["difference"], places, "D", color="black", markersize=3)
    axes.hlines(places, -part["difference_high"], -part["difference_low"], color="black", linewidth=0.7)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_yticks(places, [f"{row.codec}, {row.preset}" for row in part.itertuples()], fontsize=7)
    axes.set_ylim(len(part) - 0.4, -0.6)
    axes.set_xlabel(f"loss of {part['headline'].iloc[0]}")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.grid(axis="x", color="#dddddd", linewidth=0.5)
    axes.set_axisbelow(True)


def _legend() -> list[Patch | Line2D]:
    return [
        Patch(facecolor=GREY, label="by the codec"),
        Patch(facecolor=GREY, edgecolor="white", **ENGINE, label="by the engine"),
        Line2D([], [], color="black", marker="D", markersize=3, linewidth=0.7, label="sum, 95 % interval"),
    ]
