"""Table 3: timings with the quality and the bytes of the same search."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import DataError
from bench.files.storage import digest_of, read_json
from bench.report import pooled
from bench.report.deviations import cells, described, note
from bench.report.quality import search_cell
from bench.report.records import Record, engine_values, row_of
from bench.report.seeds import SPREAD, explained, mean, spread, spreads
from bench.report.table import MISSING, Table, number, with_spread

OVER_TIMINGS = " Each seed is timed for itself; a percentile is the mean of those of the seeds."
STAGES = ("centroids", "candidates", "scoring")
TIMES = ("p50", "p95", "p99", "mean_best", "batch", "encode", *STAGES, "open_s", "first_s")
MEANT = ("value", *TIMES, pooled.PER_VECTOR, pooled.PER_PASSAGE)


def read_latencies(paths: Sequence[Path]) -> list[Record]:
    """Return records of timings in the order given. Raise DataError if two of them are of the same search."""
    found = [read_json(path) for path in paths]
    if len({digest_of([_identity(record), record["settings"]["threads"]]) for record in found}) < len(found):
        raise DataError("two of the timings are of the same search on as many threads: give one of them")
    return found


def _identity(record: Record) -> dict[str, Any]:
    """Return what a run and a timing of the same search have in common: inputs, query vectors, engine and depth."""
    settings = record["settings"]
    engine = {"engine": settings["engine"], "values": engine_values(settings), "depth": settings["depth"]}
    return {"inputs": record["inputs"], "queries": record["queries"], **engine}


def latency_frame(latencies: Sequence[Record], metrics: Sequence[Record], sizes: Sequence[Record]) -> pd.DataFrame:
    """One row per timing; raises DataError for one whose search no record of quality is of.

    Columns: dataset, model, codec, preset, settings, threads; headline (name), value; p50, p95, p99, mean_best (ms, of
    single queries from vectors to ranking; a percentile that so few queries do not carry is absent), batch (queries/s);
    encode and each stage (ms, mean; absent where it was not timed or the engine has no such stage); queries, passes,
    stable; open_s, first_s (seconds to open the index and of the first search); bytes_per_vector, bytes_per_passage; host,
    load (over the minute before), kernels, depth, deviations. Timings of several seeds are one row: of means of what each
    seed has, of the most passes, stable where all are, with seeds and the spreads of p50 and value.
    """
    runs = runs_of(metrics)
    sized = {size["index"]: size for size in sizes}
    rows: dict[tuple[object, ...], dict[int | None, dict[str, Any]]] = {}
    for record in latencies:
        run = run_of(record, runs)
        key = (*row_of(run), record["settings"]["threads"])
        rows.setdefault(key, {})[run.get("seed")] = _row(record, run, sized.get(record["inputs"]["index"]))
    return pd.DataFrame([_over_seeds(by_seed) for by_seed in rows.values()])


def _over_seeds(by_seed: Mapping[int | None, dict[str, Any]]) -> dict[str, Any]:
    """Return the row of a search; of several seeds the means of its numbers."""
    found = list(by_seed.values())
    if None in by_seed:
        return found[0]
    means = {name: None if any(row[name] is None for row in found) else mean(row[name] for row in found) for name in MEANT}
    most = {"passes": max(row["passes"] for row in found), "stable": all(row["stable"] for row in found)}
    spreads_of = {f"{name}{SPREAD}": spread(row[name] for row in found) for name in ("p50", "value")}
    return {**found[0], **means, **most, "seeds": " ".join(map(str, by_seed)), **spreads_of}


def runs_of(metrics: Sequence[Record]) -> dict[str, Record]:
    """Return records of quality by what they have in common with a timing of the same search."""
    return {digest_of(_identity(record["run"])): record for record in metrics if "queries" in record["run"]}


def run_of(latency: Record, runs: dict[str, Record]) -> Record:
    """Return the record of quality of the search that was timed; raises DataError where there is none."""
    found = runs.get(digest_of(_identity(latency)))
    if found is None:
        engine = f"{latency['settings']['engine']} over {latency['index']['codec']}"
        raise DataError(f"a timing of {engine} has no record of quality of the same search: time it again, or evaluate it")
    return found


def _row(latency: Record, run: Record, size: Record | None) -> dict[str, Any]:
    search, settings, host = latency["search"], latency["settings"], latency["host"]
    headline = run["measures"][0]
    return {
        **{name: run[name] for name in ("dataset", "model", "codec", "preset")},
        "settings": engine_values(settings),
        "threads": settings["threads"],
        "headline": headline,
        "value": run["mean"][headline],
        **{name: search[name] for name in ("p50", "p95", "p99", "mean_best")},
        "batch": latency["batch"]["queries_per_s"],
        "encode": latency["encode"] and latency["encode"]["mean_best"],
        **{name: search["stages"].get(name) for name in STAGES},
        **{name: search[name] for name in ("queries", "passes", "stable")},
        "open_s": latency["open_s"] + search["open_s"],
        "first_s": search["first_s"],
        "bytes_per_vector": size and size["bytes_per_vector"],
        "bytes_per_passage": size and size["total"] / size["passages"],
        "host": f"{host['cpu']}, {host['cores']} CPUs",
        "load": host["load"]["before"] and host["load"]["before"][0],
        "kernels": settings["kernels"],
        "depth": settings["depth"],
        "deviations": described(run["deviations"]),
    }


def pareto(milliseconds: np.ndarray, quality: np.ndarray) -> np.ndarray:
    """Return the mask of the points on the Pareto front of times and qualities, both ``[points]``."""
    quicker, slower = milliseconds[:, None], milliseconds[None, :]
    better, worse = quality[:, None], quality[None, :]
    dominates = (quicker <= slower) & (better >= worse) & ((quicker < slower) | (better > worse))
    return np.logical_not(dominates.any(axis=0))


def latency_table(latency: pd.DataFrame) -> Table:
    """Return Table 3: the time of a query of every timed run, with its quality and its bytes."""
    latency = pooled.with_pool(latency)
    shown = pd.DataFrame(
        {
            "data set": cells(latency["dataset"], latency["deviations"]),
            "model": latency["model"],
            **pooled.axes_cells(latency),
            "search": [
                search_cell(preset, settings) for preset, settings in zip(latency.preset, latency.settings, strict=True)
            ],
            "threads": [str(threads) for threads in latency["threads"]],
        }
    )
    for headline in dict.fromkeys(latency["headline"]):
        own = latency["value"].where(latency["headline"] == headline)
        pairs = zip(own, spreads(latency, "value"), strict=True)
        shown[headline] = [MISSING if pd.isna(value) else with_spread(number(value, 3), each, 3) for value, each in pairs]
    pairs = zip(latency["p50"], spreads(latency, "p50"), strict=True)
    shown["p50, ms"] = [with_spread(_significant(value), each, 2) for value, each in pairs]
    for name, title in (("p95", "p95, ms"), ("p99", "p99, ms"), ("mean_best", "best of three, ms")):
        shown[title] = [_significant(value) for value in latency[name]]
    shown["batch, queries / s"] = [_significant(value) for value in latency["batch"]]
    for name in ("encode", *STAGES):
        shown[f"{name}, ms"] = [_significant(value) for value in latency[name]]
    shown["passes"] = [f"{row.passes}" + ("" if row.stable else " (unstable)") for row in latency.itertuples()]
    shown["bytes / vector"] = [number(value, 1) for value in latency["bytes_per_vector"]]
    if "pool" in latency:
        shown["bytes / passage"] = [number(value, 0) for value in latency["bytes_per_passage"]]
    counts = ", ".join(f"{name} {rows['queries'].iloc[0]}" for name, rows in latency.groupby("dataset", sort=False))
    caption = (
        f"Latency. Queries timed: {counts}, one after the other in a process of their own, from query vectors to the "
        f"ranking of the best {latency['depth'].iloc[0]}; p50, p95 and p99 are over the last three passes, best of three is "
        f"the mean over queries of each one's best of these, of which centroids, candidates and scoring are the parts; "
        f"encode, from text to query vectors, comes on top. Passes were repeated until their median came within 2 % of the "
        f"best one; batch is all queries at once. {' / '.join(dict.fromkeys(latency['host']))}. {MISSING} means: no such "
        f"stage, not measured, or too few queries for the percentile.{explained(latency, OVER_TIMINGS)}"
        f"{pooled.explained(latency)}"
        f"{note(latency['dataset'], latency['deviations'])}"
    )
    return Table(latency, shown, caption)


def _significant(value: float | None) -> str:
    """Return a number with three significant digits, the precision of a timing."""
    if value is None or pd.isna(value):
        return MISSING
    return number(value, 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3)
