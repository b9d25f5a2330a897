"""Records with named columns: JSONL, TSV, Parquet, and a folder that ``datasets`` saved."""

import importlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.corpus.own import lines
from bench.errors import DataError
from bench.files.storage import digest_of, sha256_file

COMPRESSED = (".gz", ".zst")
JSONL, TSV, PARQUET, SAVED = "JSONL", "TSV", "Parquet", "datasets"
KINDS = {".jsonl": JSONL, ".ndjson": JSONL, ".tsv": TSV, ".txt": TSV, ".parquet": PARQUET}
IDS = ("_id", "id")
STATE = "state.json"
PLAIN = ("id", "text")  # columns of a TSV file without a header
Record = tuple[str, Mapping[str, Any]]


def kind(path: Path) -> str:
    """Return the format of a file or folder by its name. Raise DataError for an unknown one."""
    if (path / STATE).is_file():
        return SAVED
    suffixes = [suffix for suffix in path.suffixes[-2:] if suffix not in COMPRESSED]
    found = KINDS.get(suffixes[-1]) if suffixes and not path.is_dir() else None
    if found is None or (found == PARQUET and path.suffix in COMPRESSED):
        known = f"{', '.join(sorted(KINDS))}, the text formats also with {' or '.join(COMPRESSED)}"
        raise DataError(f"{path} has no known format: expected {known}, or a folder of datasets.save_to_disk")
    return found


def files(path: Path) -> list[Path]:
    """Return the files that hold the data of a path: the file itself, or the files of a saved folder."""
    if not path.is_dir() or kind(path) != SAVED:
        return [path]
    with lines.readable(path / STATE):
        text = (path / STATE).read_text(encoding="utf-8")
    try:
        names = [entry["filename"] for entry in json.loads(text)["_data_files"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path / STATE} does not list _data_files: it is not of datasets.save_to_disk") from error
    return [path / name for name in names]


def digests(**paths: Path | None) -> dict[str, str]:
    """Return the digest of each file that is given, by name; of a saved folder, one over those of its files."""
    found = {name: [sha256_file(file) for file in files(path)] for name, path in paths.items() if path is not None}
    return {name: each[0] if len(each) == 1 else digest_of(each) for name, each in found.items()}


def records(path: Path, id_column: str | None = None) -> Iterator[Record]:
    """Yield the place ``FILE:LINE`` and the values by column of each record.

    id_column: tells the header of a TSV file, whose first line names it; ``_id`` or ``id`` if None.
    """
    match kind(path):
        case "JSONL":
            return _jsonl(path)
        case "TSV":
            return _tsv(path, id_column)
        case "Parquet":
            return _batches(path, _parquet)
    return itertools.chain.from_iterable(_batches(file, _saved) for file in files(path))


def count(path: Path, id_column: str | None = None) -> int:
    """Return the number of records, which are not parsed."""
    match kind(path):
        case "JSONL":
            return lines.count(path)
        case "TSV":
            return lines.count(path) - (_header(path, id_column) is not None)
    return sum(1 for _ in records(path))


def _jsonl(path: Path) -> Iterator[Record]:
    for number, line in lines.lines(path):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}:{number}: not valid JSON ({error}); one object a line is expected") from error
        if not isinstance(found, dict):
            raise DataError(f"{path}:{number}: holds a {type(found).__name__}, one JSON object a line is expected")
        yield f"{path}:{number}", found


def _header(path: Path, id_column: str | None) -> Sequence[str] | None:
    _, first = next(lines.lines(path))
    cells = first.split("\t")
    return cells if set(cells) & set([id_column] if id_column else IDS) else None


def _tsv(path: Path, id_column: str | None) -> Iterator[Record]:
    header = _header(path, id_column)
    columns = header or PLAIN
    if len(set(columns)) != len(columns):
        raise DataError(f"{path}:1: the header names a column twice: {list(columns)}")
    for number, line in itertools.islice(lines.lines(path), 1 if header else 0, None):
        cells = line.split("\t")
        if len(cells) != len(columns):
            named = f"{list(columns)} of the header" if header else f"{list(PLAIN)}, since line 1 is no header with an id"
            raise DataError(f"{path}:{number}: {len(cells)} cells between tabs, expected {len(columns)}: {named}")
        yield f"{path}:{number}", dict(zip(columns, cells, strict=True))


def _parquet(path: Path) -> Iterator[Any]:
    lines.arrow(path)
    return importlib.import_module("pyarrow.parquet").ParquetFile(path).iter_batches()


def _saved(file: Path) -> Iterator[Any]:
    pyarrow = lines.arrow(file)
    with pyarrow.memory_map(str(file)) as opened:
        yield from pyarrow.ipc.open_stream(opened)


def _batches(path: Path, read: Callable[[Path], Iterator[Any]]) -> Iterator[Record]:
    """Yield the records of Arrow record batches, one batch in memory at a time."""
    pyarrow, number = lines.arrow(path), 0
    try:
        with lines.readable(path):
            for batch in read(path):
                for values in batch.to_pylist():
                    number += 1
                    yield f"{path}, record {number}", values
    except pyarrow.ArrowException as error:
        raise DataError(f"{path} is damaged or of another format, after record {number}: {str(error)[:200]}") from error
    if not number:
        raise DataError(f"{path} is empty")
