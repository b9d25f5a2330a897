"""Runs in TREC format, gzipped without a time stamp: equal rankings give equal bytes. Each has a record beside it."""

import gzip
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import DamagedFileError, DataError
from bench.files.storage import OWN, atomic, digest_of, read_json, sha256_file, write_json

Run = dict[str, list[tuple[str, float]]]
Rankings = Mapping[str, Sequence[tuple[str, float]]]
NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
NEEDED = {"settings": ("engine", "depth", "self_match"), "inputs": ("queries",), "counts": ()}


def record_path(run: Path) -> Path:
    """Return the record of a run: ``run.json`` beside ``run.trec.gz``, so that two runs of one folder have two records."""
    return run.with_name(f"{run.name.removesuffix('.gz').removesuffix('.trec')}.json")


def save(path: Path, run: Rankings, tag: str, record: Mapping[str, Any]) -> None:
    """Write a run, and its record with the digest of the run, the number of its results, and a digest of the record."""
    record_path(path).unlink(missing_ok=True)  # it would be the record of another run if this process were killed between
    write_run(path, run, tag)
    counts = {**record["counts"], "results": sum(map(len, run.values()))}
    whole = {**record, "counts": counts, "digest": sha256_file(path)}
    write_json(record_path(path), {**whole, OWN: digest_of(whole)})


def open_run(path: Path) -> tuple[Run, dict[str, Any]]:
    """Return a run and its record. Raise DataError for a run that is not the one of its record.

    A record that was made by hand has no digest of its run. It is taken as it is, but not by the gate.
    """
    record, run = read_record(record_path(path)), read_run(path)
    results = sum(map(len, run.values()))
    if record.get("digest", own := sha256_file(path)) != own or record["counts"].get("results", results) != results:
        raise DataError(f"{path} is not the run that {record_path(path)} describes: search again, into a folder of its own")
    return run, record


def read_record(path: Path) -> dict[str, Any]:
    """Return the record of a run. Raise DamagedFileError for JSON that is none, or that was edited.

    A record that was written has a digest of its run and one of its own; a record that was made by hand has neither.
    """
    record = read_json(path)
    for part, names in NEEDED.items():
        found = record.get(part) if isinstance(record, dict) else None
        if not isinstance(found, dict) or (lacking := [name for name in names if name not in found]):
            what = f"{part}.{lacking[0]}" if isinstance(found, dict) else part
            raise DamagedFileError(f"{path} is no record of a run: it has no {what}; search again")
    if (OWN in record) != ("digest" in record):
        lost, kept = (OWN, "digest") if "digest" in record else ("digest", OWN)
        raise DamagedFileError(f"{path} was changed after it was written: it has a {kept} and no {lost}; search again")
    if OWN in record and record[OWN] != digest_of({name: record[name] for name in record if name != OWN}):
        raise DamagedFileError(f"{path} was changed after it was written: its {OWN} is another one; search again")
    return dict(record)


def write_run(path: Path, run: Rankings, tag: str) -> None:
    """Write (passage id, score) lists by query; scores keep all digits of a float32. Raise DataError for NaN or infinity."""
    with atomic(path) as temporary, temporary.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as stream:
        for query, ranking in run.items():
            for rank, (passage, score) in enumerate(ranking, start=1):
                if not math.isfinite(score):
                    raise DataError(f"passage {passage!r} has the score {score} for query {query!r}: vectors are damaged")
                stream.write(f"{query} Q0 {passage} {rank} {score:.9g} {tag}\n".encode())


def read_run(path: Path) -> Run:
    """Return rankings by query id in file order.

    Raise DataError for a file without a line, a broken line, a score that is no finite number in plain decimals, and a
    passage that is ranked twice.
    """
    run: Run = {}
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as stream:
            lines = stream.read().split("\n")
    except (EOFError, OSError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read whole: {error}") from error
    if lines.pop():
        raise DataError(f"{path} ends within a line: it is cut short")
    if not lines:
        raise DataError(f"{path} is empty: a run has a line for each result")
    for number, line in enumerate(lines, start=1):
        parts = line.split()
        if len(parts) != 6:
            raise DataError(f"line {number} of {path} has {len(parts)} fields, a TREC run has 6")
        if not NUMBER.fullmatch(parts[4]) or not math.isfinite(score := float(parts[4])):
            raise DataError(f"score {parts[4]!r} in line {number} of {path} is not a finite number")
        run.setdefault(parts[0], []).append((parts[2], score))
    for query, ranking in run.items():
        if len({passage for passage, _ in ranking}) != len(ranking):
            raise DataError(f"{path} ranks a passage twice for query {query!r}")
    return run
