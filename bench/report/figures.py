"""Figures for print: colour-blind safe, legible in grey, one column wide, equal bytes for equal numbers."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from bench.codec.names import FAMILIES, parse
from bench.config import pools
from bench.config.presets import REFERENCE
from bench.evaluation.size import COMPONENTS
from bench.files.storage import atomic
from bench.report.deviations import cells
from bench.report.pooled import any_pooled, rate

# Okabe & Ito (2008): eight colours told apart with any colour vision.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
FAMILY_COLOURS = dict(zip(FAMILIES, COLOURS, strict=False))
UNCOMPRESSED_COLOUR = "#000000"
TOWARDS_WHITE = 0.55  # of the smallest residual of a family; the largest has the colour of its family
BASELINE_LINES = (((0, (1, 1.5)), "#000000"), ((0, (1, 3)), "#666666"), ((0, (4, 1.5, 1, 1.5)), "#999999"))
HATCHES = ("", "//", "\\\\", "xx", "..", "--", "oo")
STYLE: Any = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "pdf.fonttype": 42,
    "hatch.linewidth": 0.5,
}


def codec_colour(codec: str) -> str:
    """Return the colour of a codec in every figure, as ``#rrggbb``: that of its family, lighter the fewer bytes it has.

    More centroids and merged vectors change no colour. Raise SettingsError for a name that is of no codec.
    """
    name = parse(pools.split(codec)[0])
    if name is None:
        return UNCOMPRESSED_COLOUR
    sizes = FAMILIES[name.family][1]
    white = TOWARDS_WHITE * (1 - sizes.index(name.size) / (len(sizes) - 1))
    red, green, blue = (part * (1 - white) + white for part in to_rgb(FAMILY_COLOURS[name.family]))
    return to_hex((red, green, blue))


def save(figure: Figure, base: Path) -> None:
    """Write ``base`` + .pdf and .png (200 dots per inch) without time stamps."""
    for suffix, metadata in ((".pdf", {"CreationDate": None}), (".png", {"Software": None})):
        # The kind of font is looked up when a file is written.
        with atomic(base.with_suffix(suffix)) as temporary, mpl.rc_context(STYLE):
            figure.savefig(temporary, format=suffix[1:], dpi=200, metadata=metadata, bbox_inches="tight")


def quality_against_bytes(quality: pd.DataFrame) -> Figure:
    """Figure 1: headline measure against bytes per vector, a panel per data set and a line per model and preset.

    With merged vectors the bytes are per passage, and each pool factor of a model has a line and a colour of its own.
    A dashed line marks the uncompressed vectors of each model, and bars the 95 % interval of the paired difference to
    them; single-vector and lexical baselines are horizontal lines in grey.
    """
    datasets = list(dict.fromkeys(quality["dataset"]))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6 * len(datasets), 3.4), layout="constrained")
        for position, dataset in enumerate(datasets):
            axes = figure.add_subplot(1, len(datasets), position + 1)
            rows = quality[quality["dataset"] == dataset]
            _quality_panel(axes, rows, *rate(quality))
            axes.set_title(cells(rows["dataset"], rows["deviations"])[0])
    return figure


def _quality_panel(axes: Axes, rows: pd.DataFrame, column: str, title: str) -> None:
    """column: of the bytes, which the axis names by the title."""
    own = rows["against"].isna() if "against" in rows else True
    uncompressed = (rows["codec"] == REFERENCE[0]) & (rows["preset"] == REFERENCE[1])
    compared = rows[(rows["difference"].notna() & own) | uncompressed]
    baselines = rows.drop(compared.index)
    factors = compared["codec"].map(pools.factor_of)
    source = [pools.named(model, factor) for model, factor in zip(compared["model"], factors, strict=True)]
    models = list(dict.fromkeys(source))
    presets = list(dict.fromkeys(compared["preset"]))
    for (model, preset), points in compared.assign(source=source).groupby(["source", "preset"], sort=False):
        colour = COLOURS[models.index(model) % len(COLOURS)]
        marker = MARKERS[presets.index(preset) % len(MARKERS)]
        ordered = points.sort_values(column)
        axes.errorbar(
            ordered[column],
            ordered["value"],
            yerr=_paired_interval(ordered) if preset == REFERENCE[1] else None,
            linestyle="-" if preset == REFERENCE[1] else ":",
            elinewidth=0.7,
            capsize=2,
            marker=marker,
            color=colour,
            markersize=5,
            markerfacecolor=colour if preset == REFERENCE[1] else "white",
            label=f"{pools.label(model)}, {preset}",
        )
        if preset == REFERENCE[1]:
            for value in ordered.loc[ordered["codec"] == REFERENCE[0], "value"]:
                axes.axhline(value, linestyle="--", color=colour, linewidth=0.8, alpha=0.7)
    for number, row in enumerate(baselines.itertuples()):
        dash, grey = BASELINE_LINES[number % len(BASELINE_LINES)]
        axes.axhline(row.value, linestyle=dash, color=grey, linewidth=1.2, label=f"{row.model} (baseline)")
    axes.set_xscale("log", base=2)
    means = compared.groupby("codec")[column].mean().sort_values()
    ticks = {codec: found for codec, found in means.items() if _of_the_paper(codec)}
    axes.set_xticks(list(ticks.values()), [f"{found:.0f}\n{named(codec)}" for codec, found in ticks.items()])
    axes.minorticks_off()
    axes.set_xlabel(f"{title}, everything counted")
    axes.set_ylabel(rows["headline"].iloc[0])
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, fontsize=6.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _paired_interval(points: pd.DataFrame) -> np.ndarray:
    """Return the lengths ``[2, points]`` of error bars below and above each value, 0 for the uncompressed one."""
    below = points["difference"] - points["difference_low"]
    above = points["difference_high"] - points["difference"]
    return np.nan_to_num(np.array([below, above], dtype=float))


def _of_the_paper(codec: str) -> bool:
    """Return whether the axis names this codec. Many other codecs can have nearly the same size; Figure 5 names them."""
    return pools.factor_of(codec) == pools.NONE and (codec == REFERENCE[0] or codec.startswith("residual-"))


def named(codec: str) -> str:
    """Return how figures name a codec: the paper's by its bits, such as ``2 bits``, any other by its name."""
    plain, factor = pools.split(codec)
    nbits = plain.removeprefix("residual-")
    name = plain if nbits == plain else "1 bit" if nbits == "1" else f"{nbits} bits"
    return pools.label(pools.named(name, factor))


def size_by_component(sizes: pd.DataFrame) -> Figure:
    """Figure 2: bytes per vector, or per passage with merged vectors, by component; a bar per codec and a panel per corpus
    and model."""
    panels = [(key, rows) for key, rows in sizes.groupby(["corpus", "model"], sort=False) if len(rows) > 1]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.4 * max(len(panels), 1), 2.9), layout="constrained")
        for position, ((corpus, model), rows) in enumerate(panels):
            axes = figure.add_subplot(1, len(panels), position + 1)
            _size_panel(axes, rows.sort_values("total", ascending=False))
            axes.set_title(f"{corpus}, {model}")
        if panels:
            handles, labels = figure.axes[0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return figure


def _size_panel(axes: Axes, rows: pd.DataFrame) -> None:
    of = "passages" if any_pooled(rows) else "vectors"
    places = np.arange(len(rows))
    left = np.zeros(len(rows))
    for component, colour, hatch in zip(COMPONENTS, COLOURS, HATCHES, strict=True):
        width = (rows[component] / rows[of]).to_numpy()
        axes.barh(places, width, left=left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.4, label=component)
        left += width
    for place, total in zip(places, left, strict=True):
        text = f"{total:.1f}" if of == "vectors" else f"{total:,.0f}"
        axes.annotate(text, (total, place), (3, 0), textcoords="offset points", va="center", fontsize=7)
    axes.set_yticks(places, [pools.label(codec) for codec in rows["codec"]])
    axes.margins(x=0.14)
    axes.set_xlabel(f"bytes per {of[:-1]}")
