"""Codecs beside each other: what a byte buys, by judgements and by what uncompressed vectors would have found."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bench.errors import DataError
from bench.evaluation.comparison import compare, interval
from bench.evaluation.overlap import overlap
from bench.evaluation.runs import Rankings
from bench.report.deviations import cells, described, note
from bench.report.records import REFERENCE, Record, Row, headline_values, paired, row_of
from bench.report.tables import MISSING, Table, number, signed_interval

CODED = ("codes", "residuals")
Shares = Mapping[int, Mapping[str, float]]


def overlaps(metrics: Sequence[Record], runs: Mapping[Row, Rankings], depths: Sequence[int]) -> dict[Row, Shares]:
    """By run, depth and query: overlap with exhaustive search by the same model over uncompressed vectors.

    Raises DataError where there is no such search, or where it was made with other query vectors.
    """
    records = {row_of(record): record for record in metrics}
    found: dict[Row, Shares] = {}
    for row, record in records.items():
        reference = (*row[:2], *REFERENCE)
        if reference not in records:
            raise DataError(f"run {'/'.join(row)} has no run {'/'.join(REFERENCE)} of the same model to be compared with")
        for name in ("corpus", "queries", "model"):
            if record["run"]["inputs"][name] != records[reference]["run"]["inputs"][name]:
                raise DataError(f"runs {'/'.join(row)} and {'/'.join(reference)} were made with a different {name}")
        found[row] = {depth: overlap(runs[row], runs[reference], depth) for depth in depths}
    return found


def codecs_frame(
    metrics: Sequence[Record],
    sizes: Sequence[Record],
    shares: Mapping[Row, Shares],
    against: Mapping[str, str],
    *,
    seed: int,
) -> pd.DataFrame:
    """One row per run over compressed or uncompressed token vectors, the smallest index first.

    Columns: dataset, model, preset, codec; coded (bytes of code and residual of a vector), bytes_per_vector (of all files);
    headline (name), value, and difference to uncompressed exhaustive search; overlap@k with that search, the last of which
    has overlap_low and overlap_high; against (the codec compared with, under the same preset), against_difference and
    against_overlap, of the headline and of the last overlap. A difference has _low, _high and _p beside it (95 % interval,
    randomization test), all absent where they do not apply. deviations.
    """
    size_of = {size["index"]: size for size in sizes}
    values = {row_of(record): headline_values(record) for record in metrics}
    last = {row: _series(list(found.values())[-1]) for row, found in shares.items()}
    rows = []
    for record in metrics:
        row = row_of(record)
        dataset, model, codec, preset = row
        size = size_of.get(record["run"]["inputs"]["index"])
        if size is None:
            raise DataError(f"run {'/'.join(row)} has no record of the size of its index: give it as well")
        other = (dataset, model, against.get(codec, codec), preset)
        low, high = interval(last[row].to_numpy(), np.random.default_rng(seed))
        uncompressed = _difference(row, (dataset, model, *REFERENCE), values, seed)
        rows.append(
            {
                "dataset": dataset,
                "model": model,
                "preset": preset,
                "codec": codec,
                "coded": _coded(size),
                "bytes_per_vector": size["bytes_per_vector"],
                "headline": record["measures"][0],
                "value": record["mean"][record["measures"][0]],
                **_named("difference", uncompressed),
                **{f"overlap@{depth}": float(_series(found).mean()) for depth, found in shares[row].items()},
                "overlap_low": low,
                "overlap_high": high,
                "against": against.get(codec),
                **_named("against_difference", _difference(row, other, values, seed)),
                **_named("against_overlap", _difference(row, other, last, seed)),
                "deviations": described(record["deviations"]),
            }
        )
    order = ["dataset", "model", "preset", "bytes_per_vector"]
    return pd.DataFrame(rows).sort_values(order, kind="stable", ignore_index=True)


def _series(shares: Mapping[str, float]) -> "pd.Series[float]":
    return pd.Series(shares, dtype=float).sort_index()


def _coded(size: Record) -> float:
    parts = CODED if size["bytes"]["residuals"] else ("float16",)
    return sum(size["bytes"][part] for part in parts) / size["vectors"]


def _difference(row: Row, other: Row, values: Mapping[Row, "pd.Series[float]"], seed: int) -> tuple[float, ...] | None:
    """Mean, low, high and p of the paired difference; None for a row and itself, and where the other was not run."""
    if row == other or other not in values:
        return None
    found = compare(paired(values[row], values[other], row), np.random.default_rng(seed))
    return found.mean, found.low, found.high, found.p


def _named(name: str, found: tuple[float, ...] | None) -> dict[str, float | None]:
    return dict(zip((name, f"{name}_low", f"{name}_high", f"{name}_p"), found or (None,) * 4, strict=True))


def codecs_table(frame: pd.DataFrame) -> Table:
    """Table 7: every codec, the smallest first, against uncompressed vectors and against the codec it is to replace."""
    overlaps = [name for name in frame if str(name).startswith("overlap@")]
    shown = pd.DataFrame({"data set": cells(frame["dataset"], frame["deviations"]), "model": frame["model"]})
    shown["search"], shown["codec"] = frame["preset"], frame["codec"]
    shown["code + residual, bytes"] = [number(value, 1) for value in frame["coded"]]
    shown["all files, bytes"] = [number(value, 1) for value in frame["bytes_per_vector"]]
    shown["measure"] = frame["headline"]
    shown["value"] = [number(value, 3) for value in frame["value"]]
    shown["Δ uncompressed"] = _differences(frame, "difference")
    for name in overlaps[:-1]:
        shown[name] = [number(value, 3) for value in frame[name]]
    shown[overlaps[-1]] = [
        f"{value:.3f} [{low:.3f}, {high:.3f}]"
        for value, low, high in zip(frame[overlaps[-1]], frame["overlap_low"], frame["overlap_high"], strict=True)
    ]
    shown["against"] = frame["against"].fillna(MISSING)
    shown["Δ measure"] = _differences(frame, "against_difference")
    shown["Δ overlap"] = _differences(frame, "against_overlap")
    caption = (
        f"Codecs. Bytes per vector: of code and residual, and of every file of the index. Overlap@k: share of the k best "
        f"passages of exhaustive search over uncompressed vectors that are among the k best found. Δ uncompressed: paired "
        f"difference in the measure to that search. The last two columns compare with the codec named before them under the "
        f"same search, in the measure and in {overlaps[-1]}. Differences carry their 95 % bootstrap interval over queries "
        f"and the two-sided p of a randomization test. {MISSING} means: does not apply."
        f"{note(frame['dataset'], frame['deviations'])}"
    )
    return Table(frame, shown, caption)


def _differences(frame: pd.DataFrame, name: str) -> list[str]:
    columns = (frame[column] for column in (name, f"{name}_low", f"{name}_high", f"{name}_p"))
    return [
        MISSING if pd.isna(mean) else f"{signed_interval(mean, low, high)}, p {p:.4f}"
        for mean, low, high, p in zip(*columns, strict=True)
    ]
