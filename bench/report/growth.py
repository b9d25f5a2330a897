"""The growth of search time with the size of a collection: a figure, and the exponent of each preset."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bench.report.figures import COLOURS, MARKERS, STYLE
from bench.report.table import Table, number


def frame(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per size and preset: vectors, centroids, p50 in ms, and the size of the index."""
    rows = [
        {
            "preset": preset,
            "vectors": size["counts"]["vectors"],
            "passages": size["counts"]["passages"],
            "centroids": size["counts"]["centroids"],
            "p50": found["p50"],
            "build_s": sum(size["build_s"].values()),
            "bytes_per_vector": size["bytes_per_vector"],
        }
        for size in record["sizes"]
        for preset, found in size["search"].items()
    ]
    return pd.DataFrame(rows)


def exponents(found: pd.DataFrame) -> dict[str, float]:
    """Return for each preset the exponent of p50 in the number of vectors, between the smallest and the largest size."""
    ends = {preset: rows.sort_values("vectors").iloc[[0, -1]] for preset, rows in found.groupby("preset", sort=False)}
    return {
        str(preset): float(
            np.log(rows["p50"].iloc[1] / rows["p50"].iloc[0]) / np.log(rows["vectors"].iloc[1] / rows["vectors"].iloc[0])
        )
        for preset, rows in ends.items()
    }


def table(found: pd.DataFrame) -> Table:
    shown = pd.DataFrame({name: [f"{value:,}" for value in found[name]] for name in ("vectors", "passages", "centroids")})
    shown.insert(0, "preset", found["preset"])
    for title, name, digits in (("p50 ms", "p50", 2), ("build s", "build_s", 0), ("bytes / vector", "bytes_per_vector", 1)):
        shown[title] = [number(value, digits) for value in found[name]]
    powers = ", ".join(f"{preset} {power:.2f}" for preset, power in exponents(found).items())
    caption = (
        f"Mixtures of real passages. p50 grows as this power of the number of vectors: {powers}; 0.5 is the square root."
    )
    return Table(found, shown, caption)


def figure(found: pd.DataFrame) -> Figure:
    """Draw p50 against the number of vectors on logarithmic axes, a line per preset, and a square root for comparison."""
    with mpl.rc_context(STYLE):
        drawn = Figure(figsize=(4.6, 3.2), layout="constrained")
        axes = drawn.add_subplot()
        powers = exponents(found)
        for place, (preset, rows) in enumerate(found.groupby("preset", sort=False)):
            axes.plot(
                rows["vectors"],
                rows["p50"],
                color=COLOURS[place],
                marker=MARKERS[place],
                label=f"{preset}: power {powers[str(preset)]:.2f}",
            )
        vectors = np.array([found["vectors"].min(), found["vectors"].max()], float)
        root = found["p50"].max() * np.sqrt(vectors / vectors[1])
        axes.plot(vectors, root, color="#888888", linestyle="--", label="square root: power 0.50")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("vectors in the index")
        axes.set_ylabel("p50 of a query, ms")
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.legend(frameon=False, fontsize=7)
    return drawn
