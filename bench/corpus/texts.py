"""File formats of passages, queries and judgements: plain files that later jobs can read in slices.

A corpus folder holds ``passages.jsonl`` (id and text, one passage per line) and ``offsets.npy`` (``[passages + 1]`` int64
byte positions of the lines). A query folder holds ``queries.jsonl`` and ``qrels.txt`` (TREC format).
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import DamagedFileError, DataError
from bench.files.opening import open_folder
from bench.files.storage import FolderWriter, Manifest, atomic, read_array, read_lines, write_text

VERSION = 1
Qrels = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Text:
    """A passage or a query."""

    id: str
    text: str


@dataclass(frozen=True)
class Passages:
    """An open corpus folder, which supports slicing."""

    folder: Path
    manifest: Manifest
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def slice(self, start: int, stop: int) -> Iterator[Text]:
        """Yield passages ``start`` to ``stop`` (exclusive) in corpus order. Raise DataError if the corpus ends before."""
        if not 0 <= start <= stop <= len(self):
            raise DataError(f"passages {start} to {stop} asked for, {self.folder} has {len(self)}")
        with (self.folder / "passages.jsonl").open("rb") as stream:
            stream.seek(int(self.offsets[start]))
            for _ in range(start, stop):
                yield _text(stream.readline(), self.folder)

    def ids(self) -> list[str]:
        return [text.id for text in self.slice(0, len(self))]

    def at(self, positions: Iterable[int]) -> Iterator[Text]:
        """Yield the passages at the given positions, in the given order."""
        for position in positions:
            yield from self.slice(position, position + 1)


@dataclass(frozen=True)
class Queries:
    """A query folder: query texts in file order, and judgements by query id."""

    manifest: Manifest
    texts: Sequence[Text]
    qrels: Qrels


def write_passages(
    folder: Path, texts: Iterable[Text], place: Callable[[], str] | None = None, **manifest: Mapping[str, Any]
) -> Manifest:
    """Write a corpus folder in one pass. Raise DataError for a repeated or invalid id or text, and for an empty collection.

    A passage without text is kept, because such a passage is retrievable (and judged) in the collections that contain one.
    place: tells where the last passage stands, for the message about a refused one.
    """
    writer = FolderWriter(folder, "corpus", VERSION)
    seen: set[str] = set()
    offsets, empty = [0], 0
    with atomic(writer.path("passages.jsonl")) as temporary, temporary.open("wb") as stream:
        for text in texts:
            where = place() if place else f"passage of {folder}"
            check_id(text.id, seen, where)
            _check_text(text, where)
            empty += not text.text.strip()
            stream.write(_line(text))
            offsets.append(stream.tell())
    if not seen:
        raise DataError(f"the collection of {folder} has no passage")
    writer.array("offsets.npy", np.array(offsets, np.int64))
    return writer.close(counts={"passages": len(seen), "empty": empty}, **manifest)


def open_passages(folder: Path) -> Passages:
    manifest = open_folder(folder, "corpus", VERSION, "corpus", ["passages.jsonl", "offsets.npy"])
    offsets = read_array(folder / "offsets.npy", mapped=False)
    size = (folder / "passages.jsonl").stat().st_size
    if offsets.ndim != 1 or offsets[:1].tolist() != [0] or offsets[-1] != size or (np.diff(offsets) < 1).any():
        raise DamagedFileError(f"{folder} has offsets that do not divide its {size} bytes into passages; rebuild it")
    manifest.check_counts(folder, passages=len(offsets) - 1)
    return Passages(folder, manifest, offsets)


def write_queries(folder: Path, texts: Sequence[Text], qrels: Qrels, **manifest: Mapping[str, Any]) -> Manifest:
    """Write a query folder. Raise DataError for a repeated or invalid id or text, and for a query without text."""
    writer = FolderWriter(folder, "queries", VERSION)
    seen: set[str] = set()
    for text in texts:
        check_id(text.id, seen, f"query of {folder}")
        _check_text(text, f"query of {folder}")
        if not text.text.strip():
            raise DataError(f"query {text.id!r} of {folder} is empty: nothing can be searched for it; leave it out")
    for query, judged in qrels.items():
        for name in (query, *judged):
            check_id(name, set(), f"judgement of {folder}")
    write_text(writer.path("queries.jsonl"), "".join(_line(text).decode() for text in texts))
    lines = (
        f"{query} 0 {passage} {grade}\n"
        for query, judged in sorted(qrels.items())
        for passage, grade in sorted(judged.items())
    )
    write_text(writer.path("qrels.txt"), "".join(lines))
    counts = {"queries": len(texts), "judged": len(qrels), "judgements": sum(map(len, qrels.values()))}
    return writer.close(counts=counts, **manifest)


def open_queries(folder: Path) -> Queries:
    manifest = open_folder(folder, "queries", VERSION, "queries", ["queries.jsonl", "qrels.txt"])
    texts = [_text(line, folder) for line in read_lines(folder / "queries.jsonl")]
    qrels: Qrels = {}
    for number, line in enumerate(read_lines(folder / "qrels.txt"), start=1):
        try:
            query, _, passage, grade = line.split(" ")
            qrels.setdefault(query, {})[passage] = int(grade)
        except ValueError as error:
            raise DamagedFileError(f"line {number} of {folder / 'qrels.txt'} is no judgement: {line[:80]!r}") from error
    manifest.check_counts(folder, queries=len(texts), judged=len(qrels), judgements=sum(map(len, qrels.values())))
    return Queries(manifest, texts, qrels)


def _text(line: str | bytes, folder: Path) -> Text:
    try:
        return Text(**json.loads(line))
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedFileError(f"{folder} has a line that is no text with an id: {line[:80]!r}; rebuild it") from error


def check_id(name: str, seen: set[str], place: str) -> None:
    """Add an id to ``seen``. Raise DataError for an id that a TREC file cannot hold or that is already in ``seen``."""
    if name.split() != [name] or not _encodes(name):
        what = "is empty or has white space" if _encodes(name) else "has half a surrogate pair"
        raise DataError(f"{place}: id {name!r} {what}, which TREC files cannot hold")
    if name in seen:
        raise DataError(f"{place}: id {name!r} stands twice")
    seen.add(name)


def _check_text(text: Text, place: str) -> None:
    if not _encodes(text.text):
        raise DataError(f"{place}: the text of {text.id!r} has half a surrogate pair, which is no text: mend the source")


def _encodes(text: str) -> bool:
    """Return False for text with a lone surrogate, which JSON can spell and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _line(text: Text) -> bytes:
    return (json.dumps({"id": text.id, "text": text.text}) + "\n").encode()
