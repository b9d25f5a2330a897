"""Figure 2 and the tables of appendix A of arXiv 2112.01488: clusters per token, and tokens per cluster."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.errors import DataError
from bench.files.storage import read_json
from bench.report.figures import COLOURS, STYLE
from bench.report.table import Table, number

KINDS = {"real": "-", "random": "--"}
PANELS = {"clusters_per_token": "clusters per token", "tokens_per_cluster": "tokens per cluster"}
FEW = 16  # tokens of a cluster, which the paper counts

Record = Mapping[str, Any]


def read_clusters(paths: Sequence[Path]) -> list[Record]:
    """Return records in the order given; raises DataError where two are of the same vectors."""
    found = [read_json(path) for path in paths]
    named = [(record["corpus"], record["model"]) for record in found]
    if repeated := {name for name in named if named.count(name) > 1}:
        raise DataError(f"several records of clusters for {sorted(repeated)}: give one of them")
    return found


def distribution(histogram: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return ascending values ``[values]``, and the share ``[values]`` of what has a value or a smaller one."""
    values, counts = np.array(histogram).T
    return values, np.cumsum(counts) / counts.sum()


def quantile(histogram: Sequence[Sequence[int]], share: float) -> int:
    """Return the smallest value that at least a share does not exceed."""
    values, shares = distribution(histogram)
    return int(values[np.searchsorted(shares, share)])


def figure(records: Sequence[Record]) -> Figure:
    """Return Figure 2: empirical distribution functions of real and of random vectors, a row per corpus and model."""
    with mpl.rc_context(STYLE):
        drawn = Figure(figsize=(6.6, 2.6 * len(records)), layout="constrained")
        panels = drawn.subplots(len(records), len(PANELS), squeeze=False)
        for record, row in zip(records, panels, strict=True):
            for axes, (name, title) in zip(row, PANELS.items(), strict=True):
                _panel(axes, record, name)
                axes.set_xlabel(title)
                axes.set_title(f"{record['corpus']}, {record['model']}")
            row[0].set_ylabel("share, cumulative")
        handles, labels = drawn.axes[0].get_legend_handles_labels()
        drawn.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return drawn


def _panel(axes: Axes, record: Record, name: str) -> None:
    for colour, (kind, line) in zip(COLOURS, KINDS.items(), strict=False):
        values, shares = distribution(record[kind][name])
        axes.step([values[0], *values], [0, *shares], where="post", color=colour, linestyle=line, label=f"{kind} vectors")
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_ylim(0, 1.02)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def distribution_table(records: Sequence[Record]) -> Table:
    """Return the quantiles of Figure 2; its plain numbers are all of its points."""
    rows, points = [], []
    for record in records:
        for kind in KINDS:
            found, place = record[kind], {"corpus": record["corpus"], "model": record["model"], "vectors": kind}
            cells = {"clusters": number(found["clusters"], 0), "tokens": number(found["tokens"], 0)}
            for name, title in PANELS.items():
                values, shares = distribution(found[name])
                cells |= {f"{title}: {part}": number(quantile(found[name], share), 0) for part, share in _PARTS.items()}
                points += [
                    {**place, "of": name, "value": int(value), "share": share}
                    for value, share in zip(values, shares, strict=True)
                ]
            few = distribution(found["tokens_per_cluster"])
            at_most = few[1][few[0] <= FEW].max(initial=0.0)
            rows.append({**place, **cells, f"at most {FEW} tokens": f"{100 * at_most:.1f} %"})
    caption = (
        f"Figure 2 in numbers: in how many clusters the vectors of a token are, and of how many tokens the vectors of a "
        f"cluster, against random directions that were clustered in the same way; last, the share of clusters with at most "
        f"{FEW} tokens. Clusters without vectors and tokens that do not occur are not counted; markers count as tokens."
    )
    return Table(pd.DataFrame(points), pd.DataFrame(rows), caption)


_PARTS = {"median": 0.5, "90 %": 0.9, "most": 1.0}


def clusters_table(records: Sequence[Record]) -> Table:
    """Return the tokens of some clusters, the most frequent first, each with its number of vectors."""
    rows = [{**_of(record), **row} for record in records for row in record["examples"]["clusters"]]
    shown = [
        {
            **_of(row),
            "cluster": str(row["cluster"]),
            "vectors": number(row["vectors"], 0),
            "tokens": ", ".join(f"{token} {count}" for token, count in row["tokens"]),
            "context": row["context"],
        }
        for row in rows
    ]
    caption = (
        "Appendix A: random clusters with their most frequent tokens and how many vectors of each there are. The context is "
        "of the first vector of the first token, which is in brackets."
    )
    return Table(_texts(rows), pd.DataFrame(shown), caption)


def tokens_table(records: Sequence[Record]) -> Table:
    """Return the clusters of some words, those with most of their vectors first, named by their most frequent tokens."""
    rows = [{**_of(record), **row} for record in records for row in record["examples"]["tokens"]]
    shown = [
        {
            **_of(row),
            "token": row["token"],
            "in clusters": number(row["clusters"], 0),
            "cluster": str(row["cluster"]),
            "vectors": f"{number(row['count'], 0)} of {number(row['vectors'], 0)}",
            "tokens of the cluster": ", ".join(row["tokens"]),
            "context": row["context"],
        }
        for row in rows
    ]
    caption = (
        "Appendix A: the clusters of random words. A cluster is named by its most frequent tokens; vectors are those of the "
        "word. The context is of the first of them."
    )
    return Table(_texts(rows), pd.DataFrame(shown), caption)


def _of(row: Record) -> dict[str, str]:
    return {name: row[name] for name in ("corpus", "model")}


def _texts(rows: Sequence[Record]) -> pd.DataFrame:
    """Return rows for a CSV file, the lists of tokens as text."""
    found = pd.DataFrame(rows)
    if len(found):
        pairs = ([f"{item[0]} {item[1]}" if isinstance(item, list) else item for item in cell] for cell in found["tokens"])
        found["tokens"] = [" | ".join(cell) for cell in pairs]
    return found
