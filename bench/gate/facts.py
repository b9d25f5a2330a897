"""Facts of a benchmark in one file: quality with per-query values, bytes, work by stage, digests; timings beside them."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import DamagedFileError, DataError
from bench.evaluation import host
from bench.files.provenance import package_versions
from bench.files.storage import digest_of, read_json, write_json
from bench.report.latency import run_of, runs_of
from bench.report.records import Record

FILE = "records.json"
FORMAT = 1
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
    timed = {f"{_name(run_of(record, runs))} on {record['settings']['threads']} threads": record for record in latencies}
    rows = {
        "quality": {_name(record): _quality(record) for record in metrics},
        "size": {" ".join((record["corpus"], record["model"], record["codec"])): _size(record) for record in sizes},
        "latency": {name: _latency(record) for name, record in timed.items()},
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
    return " ".join(record[axis] for axis in ("dataset", "model", "codec", "preset"))


def _quality(record: Record) -> dict[str, Any]:
    run = record["run"]
    data = {name: run["inputs"][name] for name in ("corpus", "queries")}
    digests = {name: run["inputs"][name] for name in ("model", "index") if name in run["inputs"]}
    if "digest" not in run:
        raise DataError(
            f"the record of {_name(record)} does not say of which run it is: search again, and evaluate that run"
        )
    return {
        "data": data,
        "settings": {"search": run["settings"], "protocol": record["protocol"], "measures": record["measures"]},
        "counts": {**record["counts"], **run["counts"]},
        "work": run.get("work", {}),
        "digests": {**digests, "run": run["digest"]},
        "mean": record["mean"],
        "per_query": record["per_query"],
    }


def _size(record: Record) -> dict[str, Any]:
    return {
        "settings": record["settings"],
        "counts": {name: record[name] for name in ("passages", "vectors", "centroids")},
        "bytes": record["bytes"],
        "digests": {"index": record["index"]},
    }


def _latency(record: Record) -> dict[str, Any]:
    """p50 alone decides; the reference is found by name."""
    return {"settings": record["settings"], "p50": record["search"]["p50"], "queries": record["search"]["queries"]}


def write(path: Path, facts: Facts, **more: Any) -> None:
    """Write facts with the digest of their rows, and whatever else stands beside them."""
    body = {"kind": "facts", "format": FORMAT, "made": facts.made, "rows": facts.rows, "digest": digest_of(facts.rows)}
    write_json(path, {**body, **more})


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
    if found["digest"] != digest_of(found["rows"]):
        raise DamagedFileError(
            f"{path}: the digest of its rows is another one: it was edited or is not whole; write it anew"
        )
    if missing := [kind for kind in KINDS if kind not in found["rows"]]:
        raise DamagedFileError(f"{path} lacks rows of {missing}: it is not whole")
    return Facts(found["rows"], found["made"], str(path)), found
