"""Vector shards: the token vectors of a fixed number of passages, the one source of every codec of a model."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import DamagedFileError, DataError
from bench.storage import FolderWriter, Manifest, open_folder, read_array, read_manifest, verify

VERSION = 1
TOKENS = "tokens.npy"


@dataclass(frozen=True)
class Shard:
    """vectors ``[vectors, dim]`` float16 of norm 1, memory-mapped; doclens ``[passages]`` int32."""

    vectors: np.ndarray
    doclens: np.ndarray
    manifest: Manifest


def write_shard(
    folder: Path, vectors: np.ndarray, doclens: np.ndarray, tokens: np.ndarray | None = None, **manifest: dict
) -> Manifest:
    """Write a shard; raises DataError for a passage without vectors and for vectors that are not finite.

    tokens: ``[passages]`` int32, of each passage before it was cut, where the vectors come from texts.
    """
    if len(doclens) and doclens.min() < 1:
        raise DataError(f"passage {int(doclens.argmin())} of shard {folder} has no vector: it could never be found")
    if not np.isfinite(vectors).all():
        raise DataError(f"shard {folder} has vectors that are not finite: the model is broken")
    writer = FolderWriter(folder, "vectors", VERSION)
    writer.array("vectors.npy", vectors.astype(np.float16, copy=False))
    writer.array("doclens.npy", doclens.astype(np.int32, copy=False))
    if tokens is not None:
        writer.array(TOKENS, tokens)
    return writer.close(counts={"vectors": len(vectors), "passages": len(doclens)}, **manifest)


def open_shard(folder: Path) -> Shard:
    manifest = open_folder(folder, "vectors", VERSION, "encode")
    vectors, doclens = read_array(folder / "vectors.npy"), read_array(folder / "doclens.npy", mapped=False)
    if int(doclens.sum()) != len(vectors):
        raise DamagedFileError(f"doclens of {folder} add up to {int(doclens.sum())}, but it has {len(vectors)} vectors")
    return Shard(vectors, doclens, manifest)


def read_tokens(folder: Path) -> tuple[np.ndarray, Manifest]:
    """``[passages]`` tokens of each passage of a shard before it was cut, and the shard's manifest; no vector is read.

    Raises DataError for vectors that were not made from texts.
    """
    manifest = read_manifest(folder, "vectors", VERSION, "encode")
    if TOKENS not in manifest.files:
        raise DataError(f"{folder} does not say how long its passages were: encode them again")
    verify(folder, dataclasses.replace(manifest, files={TOKENS: manifest.files[TOKENS]}))
    return read_array(folder / TOKENS, mapped=False), manifest
