"""Runs in TREC format, gzipped without a time stamp, so that equal rankings give equal bytes."""

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.errors import DataError
from bench.files.storage import atomic

Run = dict[str, list[tuple[str, float]]]
Rankings = Mapping[str, Sequence[tuple[str, float]]]


def write_run(path: Path, run: Rankings, tag: str) -> None:
    """Write (passage id, score) lists by query; scores keep all digits of a float32."""
    with atomic(path) as temporary, temporary.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as stream:
        for query, ranking in run.items():
            for rank, (passage, score) in enumerate(ranking, start=1):
                stream.write(f"{query} Q0 {passage} {rank} {score:.9g} {tag}\n".encode())


def read_run(path: Path) -> Run:
    """Return rankings by query id in file order. Raise DataError for a broken line or a passage that is ranked twice."""
    run: Run = {}
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as stream:
            lines = stream.read().split("\n")[:-1]
    except (EOFError, OSError) as error:
        raise DataError(f"{path} cannot be read whole: {error}") from error
    for number, line in enumerate(lines, start=1):
        parts = line.split()
        if len(parts) != 6:
            raise DataError(f"line {number} of {path} has {len(parts)} fields, a TREC run has 6")
        try:
            run.setdefault(parts[0], []).append((parts[2], float(parts[4])))
        except ValueError as error:
            raise DataError(f"score {parts[4]!r} in line {number} of {path} is not a number") from error
    for query, ranking in run.items():
        if len({passage for passage, _ in ranking}) != len(ranking):
            raise DataError(f"{path} ranks a passage twice for query {query!r}")
    return run
