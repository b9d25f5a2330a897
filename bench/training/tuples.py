"""N-way tuples: a query, its passages with the positive first, and a teacher's score of each.

A folder of kind "tuples" holds ``tuples.jsonl``, a line ``["qid", ["pid", score], ...]`` per training query.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import DamagedFileError
from bench.storage import Manifest, open_folder

KIND = "tuples"
VERSION = 1
LINES = "tuples.jsonl"


@dataclass(frozen=True)
class Tuples:
    """queries: ids; passages: ids ``[queries][nway]``, the positive first; scores ``[queries, nway]`` float32."""

    manifest: Manifest
    queries: list[str]
    passages: list[list[str]]
    scores: np.ndarray

    @property
    def nway(self) -> int:
        """Passages of a query."""
        return int(self.scores.shape[1])


def read_tuples(folder: Path) -> Tuples:
    """The tuples of a folder; raises DamagedFileError for lines that are no tuples, and for ragged ones."""
    manifest = open_folder(folder, KIND, VERSION, "tuples")
    queries, passages, scores = [], [], []
    with (folder / LINES).open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            try:
                query, *row = json.loads(line)
                queries.append(str(query))
                passages.append([str(passage) for passage, _ in row])
                scores.append(np.array([score for _, score in row], np.float32))
            except (ValueError, TypeError) as error:
                raise DamagedFileError(f"{folder / LINES} line {number} is no tuple: {error}") from error
            if not row or len(row) != len(scores[0]):
                raise DamagedFileError(f"{folder / LINES} line {number} has {len(row)} passages, line 1 {len(scores[0])}")
    if not queries:
        raise DamagedFileError(f"{folder / LINES} has no tuple")
    return Tuples(manifest, queries, passages, np.stack(scores))
