"""Query vectors on disk: what every engine searches with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import DamagedFileError
from bench.files.finite import check_finite
from bench.files.opening import open_folder
from bench.files.storage import FolderWriter, Manifest, read_array, read_lines, write_text

KIND = "query-vectors"
VERSION = 1


@dataclass(frozen=True)
class QueryVectors:
    """ids of the queries and vectors ``[queries, query vectors, dim]`` float32; vectors of only zeros are padding."""

    ids: list[str]
    vectors: np.ndarray
    manifest: Manifest


def write_query_vectors(
    folder: Path, vectors: np.ndarray, ids: Sequence[str], cut: int | None = None, **manifest: Mapping[str, Any]
) -> Manifest:
    """Write the vectors of queries; cut: how many of these were longer than the length they were cut at, where known.

    Raise DamagedFileError that names a query without a vector, or with one that is not finite.
    """
    _check(folder, vectors, ids)
    writer = FolderWriter(folder, KIND, VERSION)
    writer.array("vectors.npy", vectors)
    write_text(writer.path("ids.txt"), "".join(f"{name}\n" for name in ids))
    counts = {"queries": len(vectors), "vectors": int(vectors.shape[1])}
    return writer.close(counts=counts if cut is None else {**counts, "cut": cut}, **manifest)


def open_query_vectors(folder: Path) -> QueryVectors:
    manifest = open_folder(folder, KIND, VERSION, "encode-queries", ["vectors.npy", "ids.txt"])
    vectors, ids = read_array(folder / "vectors.npy", mapped=False), read_lines(folder / "ids.txt")
    _check(folder, vectors, ids)
    manifest.check_counts(folder, queries=len(vectors), vectors=vectors.shape[1])
    return QueryVectors(ids, vectors, manifest)


def _check(folder: Path, vectors: np.ndarray, ids: Sequence[str]) -> None:
    if vectors.ndim != 3 or vectors.dtype.kind != "f" or len(ids) != len(vectors) or len(set(ids)) != len(ids):
        raise DamagedFileError(f"{folder} has {len(ids)} ids for vectors of shape {vectors.shape} and type {vectors.dtype}")
    check_finite(vectors, f"query vectors of {folder}", [f"query {name!r}" for name in ids])
    if not vectors.any(axis=(1, 2)).all():
        empty = ids[int(vectors.any(axis=(1, 2)).argmin())]
        raise DamagedFileError(f"query {empty!r} of {folder} has no vector: encode the queries again")
