"""Vector shards: the token vectors of a fixed number of passages, from which every codec of a model is derived."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import DamagedFileError, DataError
from bench.files.finite import check_finite
from bench.files.opening import read_manifest, verified
from bench.files.storage import FolderWriter, Manifest, read_array, release

VERSION = 1
VECTORS, DOCLENS, UNCUT, TOKENS = "vectors.npy", "doclens.npy", "uncut.npy", "tokens.npy"


@dataclass(frozen=True)
class Shard:
    """vectors ``[vectors, dim]`` float16 of norm 1, memory-mapped; doclens ``[passages]`` int32; tokens ``[vectors]``
    unsigned: the token id of each vector, None in a shard without them.
    """

    vectors: np.ndarray
    doclens: np.ndarray
    manifest: Manifest
    tokens: np.ndarray | None = None


def write_shard(
    folder: Path,
    vectors: np.ndarray,
    doclens: np.ndarray,
    uncut: np.ndarray | None = None,
    tokens: np.ndarray | None = None,
    **manifest: dict,
) -> Manifest:
    """Write a shard. Raise DataError for a passage without vectors, and for vectors that are not finite.

    uncut: ``[passages, 2]`` int32: numbers of tokens and vectors of each passage before truncation, if the vectors are from
    texts; tokens: ``[vectors]`` unsigned, if the vectors are those of tokens. Of texts without them, the file is empty.
    """
    if len(doclens) and doclens.min() < 1:
        raise DataError(f"passage {int(doclens.argmin())} of shard {folder} has no vector: it could never be found")
    check_finite(vectors, f"vectors of shard {folder}, whose model is broken", _Owners(doclens))
    writer = FolderWriter(folder, "vectors", VERSION)
    writer.array(VECTORS, vectors.astype(np.float16, copy=False))
    writer.array(DOCLENS, doclens.astype(np.int32, copy=False))
    if uncut is not None:
        writer.array(UNCUT, uncut)
    if uncut is not None or tokens is not None:
        writer.array(TOKENS, np.empty(0, np.uint8) if tokens is None else tokens)
    return writer.close(counts={"vectors": len(vectors), "passages": len(doclens)}, **manifest)


def open_shard(folder: Path) -> Shard:
    """Open a shard. Its vectors are read whole, and refused if one is not finite, only where they are hashed as well."""
    manifest = read_manifest(folder, "vectors", VERSION, "encode", [VECTORS, DOCLENS])
    with verified(folder, manifest) as hashed:
        return _checked(folder, manifest, whole=VECTORS in hashed)


def _checked(folder: Path, manifest: Manifest, whole: bool) -> Shard:
    vectors, doclens = read_array(folder / VECTORS), read_array(folder / DOCLENS, mapped=False)
    if vectors.ndim != 2 or vectors.dtype != np.float16 or doclens.dtype != np.int32 or (doclens < 1).any():
        raise DamagedFileError(f"{folder} has {vectors.dtype} vectors of shape {vectors.shape}, or lengths that are none")
    manifest.check_counts(folder, vectors=len(vectors), passages=len(doclens))
    if int(doclens.sum()) != len(vectors):
        raise DamagedFileError(f"doclens of {folder} add up to {int(doclens.sum())}, but it has {len(vectors)} vectors")
    if whole:
        check_finite(vectors, f"vectors of {folder}", _Owners(doclens))
        release(vectors)
    return Shard(vectors, doclens, manifest, _tokens(folder, len(vectors)) if TOKENS in manifest.files else None)


def token_ids(shard: Shard, source: str) -> np.ndarray:
    """Return the token ids ``[vectors]`` of a shard. Raise DataError if it has none, as shards of earlier versions."""
    if shard.tokens is None:
        raise DataError(f"{source} has no token ids, which codecs such as opq-16t need: make it again with `bench encode`")
    return shard.tokens


def _tokens(folder: Path, vectors: int) -> np.ndarray | None:
    tokens = np.asarray(read_array(folder / TOKENS))
    if tokens.shape == (0,) and vectors:
        return None
    if tokens.dtype.kind != "u" or tokens.shape != (vectors,):
        raise DamagedFileError(f"{folder / TOKENS} has {tokens.dtype} of shape {tokens.shape} for {vectors} vectors")
    return tokens


class _Owners:
    """What the vectors of a shard are called: the vector and the number of its passage."""

    def __init__(self, doclens: np.ndarray):
        self._doclens = doclens

    def __getitem__(self, vector: int) -> str:
        return f"vector {vector}, of passage {int(np.searchsorted(np.cumsum(self._doclens), vector, side='right'))},"


@dataclass(frozen=True)
class Lengths:
    """Lengths of the passages of a shard, int32: doclens ``[passages]``, numbers of vectors; uncut ``[passages, 2]``,
    numbers of tokens and vectors before truncation.
    """

    doclens: np.ndarray
    uncut: np.ndarray
    manifest: Manifest


@dataclass(frozen=True)
class Doclens:
    """doclens ``[passages]`` int32, the numbers of vectors of the passages of a shard."""

    doclens: np.ndarray
    manifest: Manifest


def read_doclens(folder: Path) -> Doclens:
    """Return the numbers of vectors of the passages of a shard without reading vectors, which need not be there."""
    manifest = read_manifest(folder, "vectors", VERSION, "encode", [DOCLENS])
    (doclens,) = _read(folder, manifest, DOCLENS)
    manifest.check_counts(folder, vectors=int(doclens.sum()), passages=len(doclens))
    return Doclens(doclens, manifest)


def read_lengths(folder: Path) -> Lengths:
    """Return the lengths of the passages of a shard without reading vectors. Raise DataError if there are no texts."""
    manifest = read_manifest(folder, "vectors", VERSION, "encode")
    if UNCUT not in manifest.files:
        raise DataError(f"{folder} does not say how long its passages were: encode them again")
    doclens, uncut = _read(folder, manifest, DOCLENS, UNCUT)
    return Lengths(doclens, uncut, manifest)


def _read(folder: Path, manifest: Manifest, *names: str) -> list[np.ndarray]:
    """Return some arrays of a shard, verified."""
    with verified(folder, dataclasses.replace(manifest, files={name: manifest.files[name] for name in names})):
        return [read_array(folder / name, mapped=False) for name in names]
