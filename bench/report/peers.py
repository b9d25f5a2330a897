"""Comparison with other engines over the same vectors: from records to a table, and to a table of ratios."""

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import DamagedFileError, DataError
from bench.files.storage import read_json
from bench.report.table import MISSING, Table, number

EXACT = "exact"
DEPTHS = (10, 100)
_KEYS = ("system", "version", "inputs", "counts", "build", "bytes_per_vector", "reconstruction_error", "searches", "host")
_MEASURED = {
    "build_seconds": "build s",
    "reconstruction_error": "error",
    "bytes_per_vector": "bytes / vector",
    "p50": "p50 ms",
    "p95": "p95 ms",
    "p99": "p99 ms",
    "queries_per_second": "queries / s",
    **{f"overlap@{k}": f"overlap@{k}" for k in DEPTHS},
}
AT_LEAST = f"overlap@{DEPTHS[-1]}"
_QUALITY = (f"{AT_LEAST} peer", f"{AT_LEAST} ours")
_MORE_IS_BETTER = ("queries_per_second",)
_RATIOS = {
    "build_seconds": "build",
    "reconstruction_error": "error",
    "bytes_per_vector": "bytes",
    "p50": "p50",
    "p95": "p95",
    "queries_per_second": "queries / s",
}


@dataclass(frozen=True)
class Measured:
    """record: measurements of one system; rankings: passage numbers ``[queries, depth]`` by setting, -1 for none."""

    record: Mapping[str, Any]
    rankings: Mapping[str, np.ndarray]

    @property
    def exact(self) -> bool:
        return EXACT in self.rankings

    @property
    def package(self) -> str:
        """Name of the measured package; several systems may be of one package."""
        return str(self.record.get("package", self.record["system"]))


def read(paths: Sequence[Path]) -> list[Measured]:
    """Return records with their rankings, the records of this package first.

    Raise DataError for records that cannot be in one table. Exactly one record of this package must hold the exact ranking,
    and all records must be of the same vectors and the same machine.
    """
    found = [Measured(_record(path), _rankings(path.with_suffix(".npz"))) for path in paths]
    for path, measured in zip(paths, found, strict=True):
        _check_rankings(measured, path)
    if (count := sum(measured.exact for measured in found)) != 1:
        raise DataError(f"{count} of {[str(path) for path in paths]} hold the ranking {EXACT!r}; exactly one must, ours")
    own = next(measured.package for measured in found if measured.exact)
    found.sort(key=lambda measured: (measured.package != own, not measured.exact))
    for name, values in (
        ("vectors and queries", [measured.record["inputs"] for measured in found]),
        ("machines", [{name: measured.record["host"].get(name) for name in ("cpu", "cores")} for measured in found]),
    ):
        if any(value != values[0] for value in values):
            systems = [measured.record["system"] for measured in found]
            raise DataError(f"{systems} were measured over different {name}: {values}; measure them again, together")
    return found


def _record(path: Path) -> Mapping[str, Any]:
    record = read_json(path)
    if missing := [key for key in _KEYS if key not in record]:
        raise DataError(f"{path} lacks {missing}: it is no record of a peer; measure it again")
    return record


def _rankings(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except FileNotFoundError as error:
        raise DamagedFileError(f"{path} is missing: the rankings of a record stand beside it") from error
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DamagedFileError(f"{path} is not a readable .npz file: {error}") from error


def _check_rankings(measured: Measured, path: Path) -> None:
    named = {search["setting"] for search in measured.record["searches"]}
    if missing := sorted(named - set(measured.rankings)):
        raise DataError(f"{path} has searches without rankings: {missing}; measure it again")
    shape = (measured.record["counts"]["queries"], max(DEPTHS))
    for name, ranking in measured.rankings.items():
        if ranking.shape != shape:
            raise DataError(f"ranking {name!r} beside {path} has the shape {ranking.shape}, expected {shape}")
    if measured.exact and (measured.rankings[EXACT] < 0).any():
        raise DataError(f"ranking {EXACT!r} beside {path} ends before rank {max(DEPTHS)}: search more passages")


def overlap(ranking: np.ndarray, exact: np.ndarray, k: int) -> float:
    """Return the mean share of the exact top k that is in the top k; ranks without a passage (-1) count as misses."""
    hits = [np.intersect1d(found[found >= 0], best).size for found, best in zip(ranking[:, :k], exact[:, :k], strict=True)]
    return float(np.mean(hits)) / k


def frame(measured: Sequence[Measured]) -> pd.DataFrame:
    """One row per system, setting and number of threads; what was not measured is absent.

    A setting that names a codec of its own searches other files than the index of the record, whose size it has not.
    """
    (reference,) = (item for item in measured if item.exact)
    rows = [row for item in measured for row in _rows(item, reference)]
    axes = ["system", "setting", "threads"]
    found = pd.DataFrame(rows)
    if repeated := found[found.duplicated(axes)][axes].to_numpy().tolist():
        raise DataError(f"several records for the same row: {repeated}")
    return found


def _rows(item: Measured, reference: Measured) -> Iterator[dict[str, Any]]:
    record = item.record
    searches = record["searches"]
    by_row = {(search["setting"], search["threads"], search["mode"]): search for search in searches}
    if len(by_row) < len(searches):
        raise DataError(f"{record['system']} has several searches of the same setting, threads and mode")
    index = {
        "build_threads": record["build"]["threads"],
        "build_seconds": record["build"]["seconds"],
        "reconstruction_error": record["reconstruction_error"],
        "bytes_per_vector": record["bytes_per_vector"],
    }
    for setting, threads, own in dict.fromkeys(
        (search["setting"], search["threads"], "codec" in search["values"]) for search in searches
    ):
        times = by_row.get((setting, threads, "single"), {}).get("ms", {})
        yield {
            "system": record["system"],
            "version": record["version"],
            "ours": item.package == reference.package,
            "setting": setting,
            "threads": threads,
            **(dict.fromkeys(index) if own else index),
            **{name: times.get(name) for name in ("p50", "p95", "p99")},
            "queries_per_second": by_row.get((setting, threads, "batch"), {}).get("queries_per_second"),
            **{f"overlap@{k}": overlap(item.rankings[setting], reference.rankings[EXACT], k) for k in DEPTHS},
        }


def peers_table(found: pd.DataFrame, measured: Sequence[Measured]) -> Table:
    """Return the table of the cost and the results of every system."""
    shown = pd.DataFrame({name: found[name] for name in ("system", "setting", "threads")})
    digits = {"build_seconds": 1, "reconstruction_error": 4, "bytes_per_vector": 1, "queries_per_second": 1}
    titles = {**_MEASURED, "reconstruction_error": "reconstruction error"}
    for name, title in titles.items():
        shown[title] = [number(value, digits.get(name, 3 if "@" in name else 2)) for value in found[name]]
    record = measured[0].record
    counts, host = record["counts"], record["host"]
    systems = ", ".join(_origin(item.record) for item in measured)
    caption = (
        f"{counts['passages']:,} passages, {counts['vectors']:,} vectors, {counts['queries']} queries, on {host['cores']} "
        f"cores of {host['cpu']}. {systems}. Build: vectors in memory to a finished index on disk. Reconstruction error: "
        f"mean squared distance of unit vectors to decoded, normalised ones. Bytes count every file of the index. "
        f"Milliseconds: one query at a time, percentiles over queries of each query's best of three. Queries per second: "
        f"all queries at once, median of three. Overlap@k: share of the top k of exact search over float vectors that is "
        f"among the top k. {MISSING} means: not measured."
    )
    return Table(found, shown, caption)


def _origin(record: Mapping[str, Any]) -> str:
    build = record["build"]
    return (
        f"{record['system']} {record['version']}: {build['centroids']:,} centroids after {build['iterations']} iterations, "
        f"built on {build['threads']} threads"
    )


def ratio_frame(found: pd.DataFrame) -> pd.DataFrame:
    """For every row of a peer, how many times better our fastest setting of at least its overlap@100 is, on as many threads,
    a row for each system of ours. Where no setting of ours finds as much, what depends on one is absent.
    """
    mine = found[found["ours"]]
    rows = [
        {**_against(own[own["threads"] == other["threads"]], other), "ours": name}
        for _, other in _peers(found)
        for name, own in mine.groupby("system", sort=False)
    ]
    return pd.DataFrame(rows, columns=["peer", "peer setting", "threads", "ours", "setting", *_QUALITY, *_RATIOS])


def _peers(found: pd.DataFrame) -> Iterator[tuple[Any, pd.Series]]:
    return found[~found["ours"]].iterrows()


def _against(mine: pd.DataFrame, other: pd.Series) -> dict[str, Any]:
    row = {"peer": other["system"], "peer setting": other["setting"], "threads": other["threads"]}
    row[f"{AT_LEAST} peer"] = other[AT_LEAST]
    enough = mine[mine[AT_LEAST] >= other[AT_LEAST]].dropna(subset="p50").sort_values("p50", kind="stable")
    for _, best in enough.head(1).iterrows():
        row |= {"setting": best["setting"], f"{AT_LEAST} ours": best[AT_LEAST]}
        row |= {name: _times_better(best, other, name) for name in _RATIOS}
    return row


def _times_better(mine: pd.Series, other: pd.Series, name: str) -> float | None:
    if name == "build_seconds" and mine["build_threads"] != other["build_threads"]:
        return None
    below, above = (other, mine) if name in _MORE_IS_BETTER else (mine, other)
    return None if pd.isna(below[name]) or pd.isna(above[name]) or not below[name] else float(above[name] / below[name])


def ratios_table(ratios: pd.DataFrame) -> Table:
    """Return the table of ratios of this package to each peer, at an equal or higher overlap."""
    shown = ratios[["peer", "peer setting", "threads", "ours", "setting"]].fillna(MISSING)
    for name in _QUALITY:
        shown[name] = [number(value, 3) for value in ratios[name]]
    for name, title in _RATIOS.items():
        shown[title] = [number(value, 2) for value in ratios[name]]
    caption = (
        f"Every setting of a peer beside the fastest one, of each system of ours, of at least its {AT_LEAST}, on the same "
        f"number of threads: how "
        f"many times faster to build, truer, smaller, faster, and more queries per second. Above 1 is better than the peer. "
        f"{MISSING} means: not measured, or no setting of ours finds as much."
    )
    return Table(ratios, shown, caption)
