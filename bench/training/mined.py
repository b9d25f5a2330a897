"""Mined shards: the passages that the student retrieves for a shard of the training queries (arXiv 2112.01488, 3.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import DamagedFileError, SettingsError
from bench.files.finite import check_finite
from bench.files.opening import open_folder
from bench.files.storage import FolderWriter, Manifest, read_array, read_lines, write_text
from bench.search.ranking import Ranking

KIND = "mined"
VERSION = 1
ABSENT = -1


@dataclass(frozen=True)
class Mined:
    """A mined shard. ids: query ids; passages: ``[queries, depth]`` int32 positions in the corpus, best first; scores:
    the student's scores ``[queries, depth]`` float32. Rows with fewer passages are padded with -1 and NaN.
    """

    manifest: Manifest
    ids: list[str]
    passages: np.ndarray
    scores: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """Number of passages found for each query, ``[queries]``."""
        return np.count_nonzero(self.passages != ABSENT, axis=1)


def stretch(queries: int, shard: int, shards: int) -> tuple[int, int]:
    """Return first query and end of a shard; shard sizes differ by one at most. Raise SettingsError for an invalid shard."""
    if not 0 <= shard < shards:
        raise SettingsError(f"shard {shard} of {shards} cannot be: shards are numbered 0 to their number less one")
    if shards > queries:
        raise SettingsError(f"{shards} shards of {queries} queries would leave some empty; ask for at most {queries}")
    return shard * queries // shards, (shard + 1) * queries // shards


def write_mined(
    folder: Path, ids: Sequence[str], rankings: Sequence[Ranking], depth: int, **manifest: Mapping[str, Any]
) -> Manifest:
    """Write the rankings of one shard. No ranking may be longer than ``depth``."""
    passages = np.full((len(ids), depth), ABSENT, np.int32)
    scores = np.full((len(ids), depth), np.nan, np.float32)
    for row, ranking in enumerate(rankings):
        passages[row, : len(ranking)] = ranking.passages
        scores[row, : len(ranking)] = ranking.scores
    writer = FolderWriter(folder, KIND, VERSION)
    writer.array("passages.npy", passages)
    writer.array("scores.npy", scores)
    write_text(writer.path("ids.txt"), "".join(f"{name}\n" for name in ids))
    found = np.count_nonzero(passages != ABSENT, axis=1)
    counts = {"queries": len(ids), "passages": int(found.sum()), "short": int(np.count_nonzero(found < depth))}
    return writer.close(counts=counts, **manifest)


def open_mined(folder: Path) -> Mined:
    """Return a shard as written. Raise DamagedFileError if its arrays are inconsistent."""
    manifest = open_folder(folder, KIND, VERSION, "mine", ["passages.npy", "scores.npy", "ids.txt"])
    ids = read_lines(folder / "ids.txt")
    passages, scores = (read_array(folder / f"{name}.npy", mapped=False) for name in ("passages", "scores"))
    if passages.ndim != 2 or passages.shape != scores.shape or len(ids) != len(passages):
        raise DamagedFileError(
            f"{folder} has {len(ids)} ids, passages of shape {passages.shape} and scores of {scores.shape}; mine it anew"
        )
    absent = passages == ABSENT
    if (passages < ABSENT).any() or (absent != np.isnan(scores)).any() or (absent[:, :-1] > absent[:, 1:]).any():
        raise DamagedFileError(f"{folder} has passages without scores, or gaps between them; mine it anew")
    manifest.check_counts(folder, queries=len(ids), passages=int((~absent).sum()))
    check_finite(np.where(absent, 0, scores), f"scores of {folder}", [f"query {name!r}" for name in ids])
    return Mined(manifest, ids, passages, scores)
