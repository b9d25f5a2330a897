"""Table 7: codecs by bytes per vector, quality, and overlap with exhaustive search over uncompressed vectors."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from bench.config import pools
from bench.config.presets import REFERENCE
from bench.errors import DataError
from bench.evaluation.comparison import interval
from bench.evaluation.overlap import overlap
from bench.evaluation.runs import Rankings
from bench.report import pooled, verdicts
from bench.report.deviations import cells, described, note
from bench.report.records import Record, Row, headline_values, paired, references, row_of
from bench.report.seeds import (
    BY_SEED,
    SPREAD,
    Key,
    averaged,
    explained,
    key_of,
    made_of,
    over_seeds,
    seed_columns,
    spread,
    spread_of_differences,
    spreads,
)
from bench.report.table import MISSING, Table, number, with_interval, with_spread

CODED = ("codes", "residuals")
COMPARISONS = ("difference", "against_difference", "against_overlap")
Shares = Mapping[int, Mapping[str, float]]


def overlaps(metrics: Sequence[Record], runs: Mapping[Key, Rankings], depths: Sequence[int]) -> dict[Key, Shares]:
    """Return the overlap with exhaustive search over uncompressed vectors by the same model, by run, depth and query.

    Raise DataError if there is no such search, or if it used other query vectors.
    """
    return {
        row: {depth: overlap(runs[row], runs[reference], depth) for depth in depths}
        for row, reference in references(metrics).items()
    }


def codecs_frame(
    metrics: Sequence[Record],
    sizes: Sequence[Record],
    shares: Mapping[Key, Shares],
    against: Mapping[str, str],
    *,
    seed: int,
    margins: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """One row per run over compressed or uncompressed token vectors, the smallest index first.

    Columns: dataset, model, preset, codec; coded (bytes of code and residual of a vector), bytes_per_vector and
    bytes_per_passage (of all files); headline (name), value, and difference to uncompressed exhaustive search; overlap@k
    with that search, the last of which has overlap_low and overlap_high; against (the codec compared with, under the same
    preset and pool factor), against_difference and against_overlap, of the headline and of the last overlap. Each of the
    three differences has the columns of a comparison (``bench.report.verdicts``), within the margin of the headline, absent
    where they do not apply. deviations. Runs of several seeds are one row of means, with the columns of
    ``bench.report.seeds.seed_columns`` and the spread of overlaps.
    """
    metrics = over_seeds(metrics)
    by_row = {row_of(record): record for record in metrics}
    size_of = {size["index"]: size for size in sizes}
    values = {row_of(record): headline_values(record) for record in metrics}
    shared = {row: _over_seeds(record, shares) for row, record in by_row.items()}
    last = {row: _series(list(found.values())[-1]) for row, found in shared.items()}
    rows = []
    for record in metrics:
        row = row_of(record)
        dataset, model, codec, preset = row
        found = [size_of.get(each["run"]["inputs"]["index"]) for each in made_of(record)]
        known = [size for size in found if size is not None]
        if len(known) < len(found):
            raise DataError(f"run {'/'.join(row)} has no record of the size of its index: give it as well")
        plain, factor = pools.split(codec)
        other = (dataset, model, pools.named(against.get(plain, plain), factor), preset)
        low, high = interval(last[row].to_numpy(), np.random.default_rng(seed))
        headline = record["measures"][0]
        margin = (margins or {}).get(headline)
        reference = (dataset, model, *REFERENCE)
        uncompressed = _paired(row, reference, values)
        rows.append(
            {
                "dataset": dataset,
                "model": model,
                "preset": preset,
                "codec": codec,
                "coded": float(np.mean([_coded(size) for size in known])),
                "bytes_per_vector": float(np.mean([size["bytes_per_vector"] for size in known])),
                "bytes_per_passage": float(np.mean([size["total"] / size["passages"] for size in known])),
                "headline": headline,
                "value": record["mean"][headline],
                **verdicts.compared("difference", uncompressed, margin, seed),
                **{f"overlap@{depth}": float(_series(found).mean()) for depth, found in shared[row].items()},
                "overlap_low": low,
                "overlap_high": high,
                "against": against.get(plain),
                **verdicts.compared("against_difference", _paired(row, other, values), margin, seed),
                **verdicts.compared("against_overlap", _paired(row, other, last), None, seed),
                "deviations": described(record["deviations"]),
                **seed_columns(record, headline, None if row == reference else by_row.get(reference)),
                **_spreads(record, None if row == other else by_row.get(other), shares),
            }
        )
    order = ["dataset", "model", "preset", "bytes_per_passage"]
    frame = pd.DataFrame(rows).sort_values(order, kind="stable", ignore_index=True)
    for name in COMPARISONS:
        verdicts.judge(frame, name)
    return frame


def _over_seeds(record: Record, shares: Mapping[Key, Shares]) -> Shares:
    """Return the overlaps of a row by depth and query, of several seeds their means."""
    found = [shares[key_of(each)] for each in made_of(record)]
    return {depth: averaged([each[depth] for each in found], "/".join(row_of(record))) for depth in found[0]}


def _spreads(record: Record, other: Record | None, shares: Mapping[Key, Shares]) -> dict[str, float | None]:
    """Return the spread over seeds of overlaps and of the differences to the codec compared with; empty without seeds."""
    if BY_SEED not in record:
        return {}
    depths = list(shares[key_of(made_of(record)[0])])
    headline = record["measures"][0]

    def share(depth: int) -> Callable[[Record], float]:
        return lambda each: float(_series(shares[key_of(each)][depth]).mean())

    return {
        **{f"overlap@{depth}{SPREAD}": spread(map(share(depth), made_of(record))) for depth in depths},
        f"against_difference{SPREAD}": spread_of_differences(record, other, lambda each: float(each["mean"][headline])),
        f"against_overlap{SPREAD}": spread_of_differences(record, other, share(depths[-1])),
    }


def _series(shares: Mapping[str, float]) -> "pd.Series[float]":
    return pd.Series(shares, dtype=float).sort_index()


def _coded(size: Record) -> float:
    parts = CODED if size["bytes"]["residuals"] else ("float16",)
    return sum(size["bytes"][part] for part in parts) / size["vectors"]


def _paired(row: Row, other: Row, values: Mapping[Row, "pd.Series[float]"]) -> np.ndarray | None:
    """Return the paired differences ``[queries]``; None for a row and itself, and where the other was not run."""
    return None if row == other or other not in values else paired(values[row], values[other], row)


def codecs_table(frame: pd.DataFrame, margins: Mapping[str, float] | None = None) -> Table:
    """Return Table 7: each codec, the smallest first, against uncompressed vectors and the codec it should replace."""
    frame = pooled.with_pool(frame)
    overlaps = [name for name in map(str, frame) if name.startswith("overlap@") and not name.endswith(SPREAD)]
    shown = pd.DataFrame({"data set": cells(frame["dataset"], frame["deviations"]), "model": frame["model"]})
    shown = shown.assign(search=frame["preset"], **pooled.axes_cells(frame))
    shown["code + residual, bytes"] = [number(value, 1) for value in frame["coded"]]
    shown["all files, bytes"] = [number(value, 1) for value in frame["bytes_per_vector"]]
    if "pool" in frame:
        shown["all files, bytes / passage"] = [number(value, 0) for value in frame["bytes_per_passage"]]
    shown["measure"] = frame["headline"]
    shown["value"] = _means(frame, "value")
    shown["Δ uncompressed"] = _cells(frame, "difference")
    for name in overlaps[:-1]:
        shown[name] = _means(frame, name)
    parts = (frame[overlaps[-1]], frame["overlap_low"], frame["overlap_high"], spreads(frame, overlaps[-1]))
    shown[overlaps[-1]] = [with_interval(*each) for each in zip(*parts, strict=True)]
    shown["against"] = frame["against"].fillna(MISSING)
    shown["Δ measure"] = _cells(frame, "against_difference")
    shown["Δ overlap"] = _cells(frame, "against_overlap")
    caption = (
        f"Codecs. Bytes per vector: of code and residual, and of every file of the index. Overlap@k: share of the k best "
        f"passages of exhaustive search over uncompressed vectors that are among the k best found. Δ uncompressed: paired "
        f"difference in the measure to that search. The last two columns compare with the codec named before them under the "
        f"same search, in the measure and in {overlaps[-1]}. Differences carry their 95 % bootstrap interval over queries. "
        f"{verdicts.explained(margins or {})} {MISSING} means: does not apply.{explained(frame)}"
        f"{pooled.explained(frame, ' Codecs are compared at the same pool.')}"
        f"{note(frame['dataset'], frame['deviations'])}"
    )
    return Table(frame, shown, caption)


def _means(frame: pd.DataFrame, name: str) -> list[str]:
    pairs = zip(frame[name], spreads(frame, name), strict=True)
    return [with_spread(number(value, 3), each, 3) for value, each in pairs]


def _cells(frame: pd.DataFrame, name: str) -> list[str]:
    cells = zip(verdicts.difference_cells(frame, name), verdicts.verdict_cells(frame, name), strict=True)
    return [MISSING if words == MISSING else f"{difference}, {words}" for difference, words in cells]
