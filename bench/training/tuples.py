"""N-way tuples with teacher scores (arXiv 2112.01488, section 3.2): a query, its positive and other passages.

``tuples.jsonl`` holds one tuple per line in the layout of ColBERTv2's 64-way file, ``["qid", ["pid", score], ...]`` with
the positive first. Ids are the string ids of the query and corpus folders; scores are the raw scores of the teacher. A
tuple without teacher scores is ``["qid", "pid", ...]``.
"""

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import DataError
from bench.files.opening import open_folder
from bench.files.storage import FolderWriter, Manifest, atomic

KIND = "tuples"
VERSION = 1
NAME = "tuples.jsonl"
TOO_LARGE = float(np.finfo(np.float32).max) + 2.0**103  # the smallest number that does not round to a finite float32


@dataclass(frozen=True)
class Row:
    """One tuple: passages, the positive first, and their scores in the same order, or None without a teacher."""

    query: str
    passages: list[str]
    scores: list[float] | None


@dataclass(frozen=True)
class Tuples:
    """Query ids ``[queries]``, passage ids ``[queries][nway]`` with the positive first, scores ``[queries, nway]`` float32.

    Scores are NaN in tuples without a teacher, which ``read_tuples`` returns only on request.
    """

    manifest: Manifest
    queries: list[str]
    passages: list[list[str]]
    scores: np.ndarray

    @property
    def nway(self) -> int:
        return int(self.scores.shape[1])

    @property
    def group_size(self) -> int:
        """Number of similar queries in each group of consecutive tuples; 1 without groups."""
        return int(self.manifest.settings.get("group_size", 1))


class Checker:
    """Validation of the tuples of a file, one by one; ``check`` raises DataError with line and value.

    queries, passages: the known ids (None: ids are not checked); repeats: True if a query may have several tuples.
    """

    def __init__(
        self, queries: Container[str] | None = None, passages: Container[str] | None = None, *, repeats: bool = False
    ):
        self._queries, self._passages, self._repeats = queries, passages, repeats
        self._seen: set[str] = set()
        self._shape: tuple[int, bool] | None = None

    def check(self, row: Row, where: str) -> None:
        if self._queries is not None and row.query not in self._queries:
            raise DataError(f"query {row.query!r} in {where} is not in the query folder")
        if not self._repeats and row.query in self._seen:
            raise DataError(f"query {row.query!r} in {where} has a tuple in an earlier line; one per query is right")
        self._seen.add(row.query)
        if len(row.passages) < 2:
            raise DataError(f"{where} has {len(row.passages)} passages, a positive and at least one other are needed")
        self._check_passages(row, where)
        shape = (len(row.passages), row.scores is not None)
        self._shape = self._shape or shape
        if shape[0] != self._shape[0]:
            raise DataError(f"{where} has {shape[0]} passages, the lines before it {self._shape[0]}: all need as many")
        if shape[1] != self._shape[1]:
            raise DataError(f"{where} is {'' if shape[1] else 'not '}scored, unlike the lines before it: score all or none")

    def _check_passages(self, row: Row, where: str) -> None:
        seen: set[str] = set()
        for passage in row.passages:
            if passage in seen:
                raise DataError(f"passage {passage!r} stands twice in {where}, of query {row.query!r}")
            if self._passages is not None and passage not in self._passages:
                raise DataError(f"passage {passage!r} in {where} is not in the corpus folder")
            seen.add(passage)
        for passage, score in zip(row.passages, row.scores or [], strict=False):
            if not abs(score) < TOO_LARGE:
                raise DataError(f"score {score} of passage {passage!r} in {where} is not a finite float32")


def write_tuples(
    folder: Path,
    rows: Iterable[Row],
    *,
    settings: Mapping[str, Any],
    counts: Mapping[str, int] | None = None,
    repeats: bool = False,
    **manifest: Mapping[str, Any],
) -> Manifest:
    """Write a stream of tuples and validate each tuple. Raise DataError for an invalid tuple and for an empty stream.

    counts: additional counts beside the numbers of tuples and ways; they are read after the last row, so that the generator
    of rows may fill them. Scores are written with nine significant digits, which preserve every float32.
    """
    writer = FolderWriter(folder, KIND, VERSION)
    path, checker = writer.path(NAME), Checker(repeats=repeats)
    lines, first = 0, None
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        for lines, row in enumerate(rows, start=1):
            checker.check(row, f"line {lines} of {path}")
            first = first or row
            stream.write(_line(row))
        if first is None:
            raise DataError(f"no tuple is left to write to {folder}")
    found = {"queries": lines, "nway": len(first.passages), **(counts or {})}
    described = {**settings, "scored": first.scores is not None, "repeats": repeats}
    return writer.close(settings=described, counts=found, **manifest)


def _line(row: Row) -> str:
    if row.scores is None:
        return json.dumps([row.query, *row.passages]) + "\n"
    scored = ([passage, float(f"{score:.9g}")] for passage, score in zip(row.passages, row.scores, strict=True))
    return json.dumps([row.query, *scored]) + "\n"


def read_tuples(
    folder: Path,
    *,
    queries: Container[str] | None = None,
    passages: Container[str] | None = None,
    needs_scores: bool = True,
) -> Tuples:
    """Return all tuples of a folder; each line is checked, also against the given ids. Equal passage ids share one string.

    Raise DamagedFileError for a folder of another kind. Raise DataError for an invalid line and, unless ``needs_scores`` is
    False, for tuples without teacher scores.
    """
    manifest = open_folder(folder, KIND, VERSION, "tuples", [NAME])
    if needs_scores and not manifest.settings["scored"]:
        raise DataError(f"the tuples of {folder} have no teacher scores; make them from scored shards (`bench score`)")
    checker = Checker(queries, passages, repeats=manifest.settings["repeats"])
    shared: dict[str, str] = {}
    named: list[str] = []
    chosen: list[list[str]] = []
    scores = np.full((manifest.counts["queries"], manifest.counts["nway"]), np.nan, np.float32)
    for number, (row, where) in enumerate(_rows(folder / NAME)):
        checker.check(row, where)
        if number >= len(scores) or len(row.passages) != scores.shape[1]:
            raise DataError(f"{where} does not fit {scores.shape[0]} tuples of {scores.shape[1]}, as the manifest says")
        named.append(row.query)
        chosen.append([shared.setdefault(passage, passage) for passage in row.passages])
        if row.scores is not None:
            scores[number] = row.scores
    if len(named) != len(scores):
        raise DataError(f"{folder / NAME} has {len(named)} lines, its manifest says {len(scores)}")
    return Tuples(manifest, named, chosen, scores)


def read_official(
    path: Path,
    *,
    nway: int | None = None,
    queries: Container[str] | None = None,
    passages: Container[str] | None = None,
) -> Iterator[Row]:
    """Yield the tuples of a JSON-lines file in the layout of ColBERTv2, ``[qid, [pid, score], ...]``.

    Integer ids are converted to decimal strings. nway: number of passages to keep from the start of each line, as in
    ColBERT (None: all). Raise DataError with file, line and value for a line that violates the rules of ``Checker``, that
    cannot be parsed, or that has fewer passages than ``nway``.
    """
    if nway is not None and nway < 2:
        raise DataError(f"nway {nway} asked for of {path} leaves no negative; at least 2 is right")
    checker = Checker(queries, passages)
    for row, where in _rows(path):
        checker.check(row, where)
        if nway is not None and len(row.passages) < nway:
            raise DataError(f"nway {nway} asked for, but {where} has {len(row.passages)} passages; ask for at most as many")
        yield Row(row.query, row.passages[:nway], row.scores and row.scores[:nway])


def read_docpairs(
    pairs: Iterable[Any],
    source: str,
    *,
    queries: Container[str] | None = None,
    passages: Container[str] | None = None,
) -> Iterator[Row]:
    """Yield two-way tuples without scores from ``docpairs_iter()`` of ir_datasets, where doc_id_a is the relevant passage.

    A query has as many tuples as pairs. Raise DataError with source, number and value for an unknown id and for a pair of a
    passage with itself.
    """
    checker = Checker(queries, passages, repeats=True)
    for number, pair in enumerate(pairs, start=1):
        row = Row(pair.query_id, [pair.doc_id_a, pair.doc_id_b], None)
        checker.check(row, f"pair {number} of {source}")
        yield row


def _rows(path: Path) -> Iterator[tuple[Row, str]]:
    """Yield the parsed lines of a file, each with its location for error messages."""
    try:
        stream = path.open(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error
    with stream:
        try:
            for number, line in enumerate(stream, start=1):
                where = f"line {number} of {path}"
                yield _parsed(line, where), where
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not text in UTF-8: {error}") from error


def _parsed(line: str, where: str) -> Row:
    try:
        query, *others = json.loads(line)
    except (ValueError, TypeError) as error:
        raise DataError(f"{where} is not a JSON list [query, [passage, score], ...]: {line.strip()[:60]!r}") from error
    scored = [isinstance(other, list) and len(other) == 2 for other in others]
    if not any(scored):
        return Row(_id(query, where), [_id(other, where) for other in others], None)
    if not all(scored):
        raise DataError(f"{where} has {others[scored.index(False)]!r} beside [passage, score] pairs; score all or none")
    return Row(
        _id(query, where), [_id(passage, where) for passage, _ in others], [_score(score, where) for _, score in others]
    )


def _id(value: Any, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise DataError(f"{value!r} in {where} is no id; a text or a whole number is right")
    return str(value)


def _score(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"score {value!r} in {where} is not a number")
    return float(value)
