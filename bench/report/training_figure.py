"""Figure 4: loss, learning rate and validation by step."""

from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.report.figures import COLOURS, MARKERS, STYLE
from bench.report.training import best_validation

SMOOTHED = 20  # windows per run of the running mean of the loss
DASHES = ("-", "--", ":", "-.")


def training_curves(frame: pd.DataFrame) -> Figure:
    """Figure 4: a panel each for loss, learning rate and validation, a colour and a dash per run.

    There is no third panel where nothing was validated. The loss of each step is drawn thin, its running mean over a
    twentieth of the run thick; a ring marks the validation that was kept.
    """
    runs = list(frame.groupby("model", sort=False))
    with mpl.rc_context(STYLE):
        measures = list(dict.fromkeys(frame["measure"].dropna()))
        labels = ["loss", "learning rate", *([" / ".join(measures)] if measures else [])]
        figure = Figure(figsize=(3.2 * len(labels), 2.9), layout="constrained")
        loss, rate, *validation = figure.subplots(1, len(labels))
        for place, (model, rows) in enumerate(runs):
            colour, dash = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
            _loss(loss, rows, colour, dash, str(model))
            rate.plot(rows["step"], rows["learning_rate"], color=colour, linestyle=dash)
            for axes in validation:
                _validation(axes, rows, colour, dash, MARKERS[place % len(MARKERS)])
        for axes, label in zip(figure.axes, labels, strict=True):
            axes.set_xlabel("step")
            axes.set_ylabel(label)
            axes.set_xlim(0, frame["step"].max() * 1.02)
            axes.grid(axis="y", color="#dddddd", linewidth=0.6)
            axes.set_axisbelow(True)
        rate.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
        for axes in validation:
            rings, names = axes.get_legend_handles_labels()
            axes.legend(rings[:1], names[:1], frameon=False, fontsize=7, loc="lower right")
        loss.legend(frameon=False, fontsize=7)
    return figure


def _loss(axes: Axes, rows: pd.DataFrame, colour: str, dash: str, model: str) -> None:
    window = max(1, len(rows) // SMOOTHED)
    axes.plot(rows["step"], rows["loss"], color=colour, linewidth=0.5, alpha=0.4)
    smooth = rows["loss"].rolling(window, min_periods=1).mean()
    axes.plot(rows["step"], smooth, color=colour, linestyle=dash, linewidth=1.5, label=model)


def _validation(axes: Axes, rows: pd.DataFrame, colour: str, dash: str, marker: str) -> None:
    validated = rows[rows["value"].notna()]
    values = validated["value"].astype(float)
    axes.plot(validated["step"], values, color=colour, linestyle=dash, marker=marker, markersize=4)
    best = best_validation(rows)
    if best is not None:
        ring: Any = {"marker": "o", "markersize": 10, "markerfacecolor": "none", "markeredgewidth": 0.8, "clip_on": False}
        axes.plot([best["step"]], [float(best["value"])], linestyle="", color=colour, label="kept", **ring)
