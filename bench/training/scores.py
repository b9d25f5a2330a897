"""Scored shards: a teacher's scores of the mined passages and of the judged relevant passages of a shard of queries."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import DamagedFileError, DataError
from bench.files.finite import check_finite
from bench.files.opening import open_folder
from bench.files.storage import FolderWriter, Manifest, read_array, read_lines, write_text
from bench.training.mined import Mined

KIND = "scores"
VERSION = 1
ARRAYS = {"found": np.int32, "offsets": np.int64, "passages": np.int32, "relevant": np.bool_}


@dataclass(frozen=True)
class QueryPairs:
    """The pairs of one query, each array ``[pairs]``: passages (positions in the corpus), relevant, the teacher's scores.

    The first ``found`` pairs are the mined passages, the student's best first. The others are relevant passages that the
    student did not find.
    """

    query: str
    found: int
    passages: np.ndarray
    relevant: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Pairs:
    """All pairs of a shard. ids and found: ``[queries]``; offsets: ``[queries + 1]``; passages and relevant: ``[pairs]``."""

    ids: Sequence[str]
    found: np.ndarray
    offsets: np.ndarray
    passages: np.ndarray
    relevant: np.ndarray

    @property
    def query_of(self) -> np.ndarray:
        """Index of the query of each pair, ``[pairs]``."""
        return np.repeat(np.arange(len(self.ids)), np.diff(self.offsets))


@dataclass(frozen=True)
class Scored:
    """A shard of pairs with the teacher's scores ``[pairs]`` float32."""

    manifest: Manifest
    pairs: Pairs
    scores: np.ndarray

    def __iter__(self) -> Iterator[QueryPairs]:
        pairs = self.pairs
        for number, (query, found) in enumerate(zip(pairs.ids, pairs.found.tolist(), strict=True)):
            own = slice(int(pairs.offsets[number]), int(pairs.offsets[number + 1]))
            yield QueryPairs(query, found, pairs.passages[own], pairs.relevant[own], self.scores[own])


def to_score(mined: Mined, relevant: Mapping[str, Sequence[int]]) -> Pairs:
    """Return the pairs of each query with its mined and relevant passages (positions in the corpus), without repeats."""
    passages: list[np.ndarray] = []
    judged: list[np.ndarray] = []
    for query, row, found in zip(mined.ids, mined.passages, mined.found.tolist(), strict=True):
        wanted = np.array(sorted(relevant.get(query, ())), np.int32)
        missed = wanted[~np.isin(wanted, row[:found])]
        own = np.concatenate([row[:found], missed])
        passages.append(own)
        judged.append(np.isin(own, wanted))
    offsets = np.concatenate([[0], np.cumsum(list(map(len, passages)))]).astype(np.int64)
    return Pairs(
        mined.ids, mined.found.astype(np.int32), offsets, np.concatenate(passages), np.concatenate(judged).astype(bool)
    )


def write_scored(folder: Path, pairs: Pairs, scores: np.ndarray, **manifest: Mapping[str, Any]) -> Manifest:
    """Write a shard. Raise DataError with query and passage for a score that is not finite."""
    if not np.isfinite(scores).all():
        wrong = int(np.isfinite(scores).argmin())
        raise DataError(
            f"the teacher gives {scores[wrong]} to passage {int(pairs.passages[wrong])} of query "
            f"{pairs.ids[int(pairs.query_of[wrong])]!r}: it is broken, or its precision too low"
        )
    writer = FolderWriter(folder, KIND, VERSION)
    for name, kind in ARRAYS.items():
        writer.array(f"{name}.npy", getattr(pairs, name).astype(kind, copy=False))
    writer.array("scores.npy", scores.astype(np.float32, copy=False))
    write_text(writer.path("ids.txt"), "".join(f"{name}\n" for name in pairs.ids))
    counts = {"queries": len(pairs.ids), "pairs": len(scores), "relevant": int(pairs.relevant.sum())}
    return writer.close(counts={**counts, "missed": len(scores) - int(pairs.found.sum())}, **manifest)


def open_scored(folder: Path) -> Scored:
    """Return a shard as written. Raise DamagedFileError if its arrays are inconsistent."""
    manifest = open_folder(folder, KIND, VERSION, "score", [*(f"{name}.npy" for name in ARRAYS), "scores.npy", "ids.txt"])
    ids = read_lines(folder / "ids.txt")
    arrays = {name: read_array(folder / f"{name}.npy", mapped=False) for name in ARRAYS}
    pairs, scores = Pairs(ids, **arrays), read_array(folder / "scores.npy", mapped=False)
    lengths = {len(pairs.passages), len(pairs.relevant), len(scores), int(pairs.offsets[-1])}
    if len(lengths) != 1 or len(pairs.offsets) != len(ids) + 1 or (pairs.found > np.diff(pairs.offsets)).any():
        raise DamagedFileError(f"{folder} has {len(ids)} queries, and arrays of {sorted(lengths)} pairs; score it anew")
    manifest.check_counts(folder, queries=len(ids), pairs=len(scores))
    check_finite(scores, f"scores of {folder}")
    return Scored(manifest, pairs, scores)


def open_all(folders: Sequence[Path]) -> list[Scored]:
    """Return all shards of one mining run, in order. Raise DataError if a shard is missing, repeated or made differently."""
    shards = [open_scored(folder) for folder in folders]
    made = [_without_number(shard.manifest) for shard in shards]
    for folder, other in zip(folders, made, strict=True):
        if other != made[0]:
            names = sorted(name for name in made[0] if other.get(name) != made[0][name])
            raise DataError(f"{folder} and {folders[0]} were made with other {', '.join(names)}; score them alike")
    numbers = sorted(int(shard.manifest.settings["mined"]["shard"]) for shard in shards)
    expected = list(range(int(shards[0].manifest.settings["mined"]["shards"])))
    if numbers != expected:
        raise DataError(f"shards {numbers} were given, {expected[0]} to {expected[-1]} are needed, each once")
    return sorted(shards, key=lambda shard: int(shard.manifest.settings["mined"]["shard"]))


def _without_number(manifest: Manifest) -> dict[str, Any]:
    """Return settings and inputs, without the values that differ between the shards of one mining run."""
    settings = {name: value for name, value in manifest.settings.items() if name != "mined"}
    mined = {name: value for name, value in manifest.settings["mined"].items() if name != "shard"}
    inputs = {name: value for name, value in manifest.inputs.items() if name != "mined"}
    return {**settings, "mining": mined, **inputs}
