"""The growth of search time with the size of a collection: a figure, and the exponent of each preset."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bench.report.figures import COLOURS, MARKERS, STYLE
from bench.report.table import Table, number

COLUMNS = {
    "p50 ms": ("p50", 2),
    "overlap@100": ("overlap", 3),
    "build s": ("build_s", 0),
    "bytes / vector": ("bytes_per_vector", 1),
}


def frame(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per index and preset: vectors, centroids, p50 in ms, the overlap with exact search over the same codes,
    and the size of the index."""
    rows = [
        {
            "codec": index["codec"],
            "preset": preset,
            "vectors": index["counts"]["vectors"],
            "passages": index["counts"]["passages"],
            "centroids": index["counts"]["centroids"],
            "p50": found["p50"],
            "overlap": found["overlap"],
            "build_s": sum(index["build_s"].values()),
            "bytes_per_vector": index["bytes_per_vector"],
        }
        for index in record["indexes"]
        for preset, found in index["search"].items()
    ]
    return pd.DataFrame(rows)


def _lines(found: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of each codec and preset, by what a line of the figure is called."""
    groups = found.sort_values("vectors", kind="stable").groupby(["codec", "preset"], sort=False)
    return {f"{codec}, {preset}": rows for (codec, preset), rows in groups}


def exponents(found: pd.DataFrame) -> dict[str, float]:
    """Return for each codec and preset the exponent of p50 in the number of vectors, between the smallest and the largest
    size."""
    return {
        line: float(
            np.log(rows["p50"].iloc[-1] / rows["p50"].iloc[0]) / np.log(rows["vectors"].iloc[-1] / rows["vectors"].iloc[0])
        )
        for line, rows in _lines(found).items()
    }


def table(found: pd.DataFrame) -> Table:
    shown = pd.DataFrame({name: [f"{value:,}" for value in found[name]] for name in ("vectors", "passages", "centroids")})
    shown.insert(0, "codec", found["codec"])
    shown.insert(1, "preset", found["preset"])
    for title, (name, digits) in COLUMNS.items():
        shown[title] = [number(value, digits) for value in found[name]]
    powers = "; ".join(f"{line}: {power:.2f}" for line, power in exponents(found).items())
    caption = (
        "Mixtures of real passages. The overlap is that of the 100 best passages with exact search over the same codes. p50 "
        f"grows as this power of the number of vectors; 0.5 is the square root. {powers}."
    )
    return Table(found, shown, caption)


def figure(found: pd.DataFrame) -> Figure:
    """Draw p50 against the number of vectors on logarithmic axes, a panel for each codec and a line for each preset, with a
    square root for comparison."""
    codecs, presets = (list(found[column].unique()) for column in ("codec", "preset"))
    vectors = np.array([found["vectors"].min(), found["vectors"].max()], float)
    powers = exponents(found)
    with mpl.rc_context(STYLE):
        drawn = Figure(figsize=(0.6 + 2.9 * len(codecs), 4.2), layout="constrained")
        panels = drawn.subplots(1, len(codecs), sharey=True, squeeze=False)[0]
        for line, rows in _lines(found).items():
            codec, preset = rows[["codec", "preset"]].iloc[0]
            place = presets.index(preset)
            panels[codecs.index(codec)].plot(
                rows["vectors"],
                rows["p50"],
                color=COLOURS[place],
                marker=MARKERS[place],
                label=f"{preset}: power {powers[line]:.2f}",
            )
        for codec, axes in zip(codecs, panels, strict=True):
            root = found["p50"].max() * np.sqrt(vectors / vectors[1])
            axes.plot(vectors, root, color="#888888", linestyle="--", label="square root: power 0.50")
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_title(codec)
            axes.set_xlabel("vectors in the index")
            for which in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
                which("{x:g}")
            axes.grid(color="#dddddd", linewidth=0.6)
            axes.legend(frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2))
        panels[0].set_ylabel("p50 of a query, ms")
    return drawn
