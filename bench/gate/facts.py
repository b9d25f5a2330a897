"""Facts of a benchmark in one file: quality with per-query values, bytes, work by stage, digests; timings beside them."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import DamagedFileError, DataError
from bench.evaluation import host
from bench.files.provenance import package_versions
from bench.files.storage import digest_of, read_json, write_json
from bench.report.latency import run_of, runs_of
from bench.report.records import Record
from bench.report.seeds import AXES, BY_SEED, made_of, mean, over_seeds, sizes_over_seeds

FILE = "records.json"
FORMAT = 2
KINDS = ("quality", "size", "latency")
Rows = Mapping[str, Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class Facts:
    """rows: by kind and name, such as ``quality`` and ``pydocs/test minilm residual-2 plaid``; made: packages and host."""

    rows: Rows
    made: Mapping[str, Any]
    source: str

    @property
    def host_class(self) -> str:
        """Machines of one class give the same facts to the last digit."""
        return str(self.made["host"]["class"])


def collect(metrics: Sequence[Record], sizes: Sequence[Record], latencies: Sequence[Record]) -> Facts:
    """Return the facts of records.

    Raises DataError for timings of several machines, or of a search that was not evaluated.
    """
    machines = sorted({_machine(record["host"]) for record in latencies})
    if len(machines) > 1:
        raise DataError(f"the timings are from several machines, which cannot be compared: {machines}; time all on one")
    runs = runs_of(metrics)
    timed: dict[str, list[Record]] = {}
    for record in latencies:
        name = f"{_name(run_of(record, runs))} on {record['settings']['threads']} threads"
        timed.setdefault(name, []).append(record)
    rows = {
        "quality": {_name(record): _quality(record) for record in over_seeds(metrics)},
        "size": {
            " ".join((record["corpus"], record["model"], record["codec"])): _size(record)
            for record in sizes_over_seeds(sizes)
        },
        "latency": {name: _latency(records) for name, records in timed.items()},
    }
    found = host.record()
    made = {"packages": package_versions(), "host": {**found, "class": host_class(found), "machine": _machine(found)}}
    return Facts(rows, made, "these records")


def host_class(found: Mapping[str, Any]) -> str:
    """Return what decides how floating point sums are rounded: the kind of processor and its vector instructions."""
    return " ".join([platform.machine(), str(found["kind"]), *found["features"]])


def _machine(found: Mapping[str, Any]) -> str:
    return f"{found['cpu']}, {found['cores']} CPUs"


def _name(record: Record) -> str:
    return " ".join(record[axis] for axis in AXES)


def _quality(record: Record) -> dict[str, Any]:
    """Of several seeds the values are means over them; counts, work and digests are those of every seed."""
    run = record["run"]
    if any("digest" not in each["run"] for each in made_of(record)):
        raise DataError(
            f"the record of {_name(record)} does not say of which run it is: search again, and evaluate that run"
        )
    return {
        "data": {name: run["inputs"][name] for name in ("corpus", "queries")},
        "settings": {
            "search": run["settings"],
            "protocol": record["protocol"],
            "measures": record["measures"],
            **_seeds(record),
        },
        "counts": _by_seed(record, lambda each: {**each["counts"], **each["run"]["counts"]}),
        "work": _by_seed(record, lambda each: each["run"].get("work", {})),
        "digests": _by_seed(record, _digests),
        "mean": record["mean"],
        "per_query": record["per_query"],
    }


def _digests(record: Record) -> dict[str, str]:
    inputs = record["run"]["inputs"]
    return {**{name: inputs[name] for name in ("model", "index") if name in inputs}, "run": record["run"]["digest"]}


def _size(record: Record) -> dict[str, Any]:
    return {
        "settings": {**record["settings"], **_seeds(record)},
        "counts": _by_seed(record, lambda each: {name: each[name] for name in ("passages", "vectors", "centroids")}),
        "bytes": _by_seed(record, lambda each: each["bytes"]),
        "digests": _by_seed(record, lambda each: {"index": each["index"]}),
    }


def _seeds(record: Record) -> dict[str, list[int]]:
    return {"seeds": list(record[BY_SEED])} if BY_SEED in record else {}


def _by_seed(record: Record, facts: Callable[[Record], Mapping[str, Any]]) -> dict[str, Any]:
    """Return facts by name; of several seeds those of each, its seed behind their names."""
    if BY_SEED not in record:
        return dict(facts(record))
    return {f"{name}, seed {seed}": fact for seed, each in record[BY_SEED].items() for name, fact in facts(each).items()}


def _latency(records: Sequence[Record]) -> dict[str, Any]:
    """p50 alone decides, of several seeds their mean; the reference is found by name."""
    search = records[0]["search"]
    p50 = mean(record["search"]["p50"] for record in records)
    return {"settings": records[0]["settings"], "p50": p50, "queries": search["queries"]}


def write(path: Path, facts: Facts, **more: Any) -> None:
    """Write facts with a digest of them and of what made them, and whatever else stands beside them."""
    body = {"kind": "facts", "format": FORMAT, "made": facts.made, "rows": facts.rows}
    write_json(path, {**body, "digest": _digest(body), **more})


def _digest(body: Mapping[str, Any]) -> str:
    return digest_of({"made": body["made"], "rows": body["rows"]})


def read(path: Path) -> tuple[Facts, dict[str, Any]]:
    """Return facts and everything else of their file.

    Raises DamagedFileError for a file that is missing, truncated or edited, DataError for one of another kind or format.
    """
    found = read_json(path)
    if not isinstance(found, dict) or found.get("kind") != "facts":
        raise DataError(
            f"{path} holds no facts of a benchmark; `bench records` writes {FILE}, and `bench accept` a baseline"
        )
    if found.get("format") != FORMAT:
        raise DataError(f"{path} has the format {found.get('format')!r}, this version reads {FORMAT}: accept it anew")
    if missing := [key for key in ("made", "rows", "digest") if key not in found]:
        raise DamagedFileError(f"{path} lacks {missing}: it is not whole")
    if found["digest"] != _digest(found):
        raise DamagedFileError(f"{path}: its digest is that of other rows: it was edited or is not whole; write it anew")
    if missing := [kind for kind in KINDS if kind not in found["rows"]]:
        raise DamagedFileError(f"{path} lacks rows of {missing}: it is not whole")
    return Facts(found["rows"], found["made"], str(path)), found
