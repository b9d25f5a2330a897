"""Indexes of colbert-ai 0.2 and fast-plaid 1: read without running anything that is pickled in them.

Both have chunks of passages with ``codes``, ``residuals`` and ``doclens``, ``centroids`` and a table of buckets. Those of
colbert-ai are PyTorch files, of which tensors alone are read. Those of fast-plaid are ``.npy``; its first search merges all
chunks into one file. The inverted list is made anew.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np

from bench.codec import packing
from bench.codec.codec import Codec
from bench.codec.int8_centroids import rounded
from bench.codec.names import CodecName
from bench.codec.nearest import code_dtype
from bench.codec.packing import other_order
from bench.errors import DamagedFileError, DataError
from bench.files.storage import Manifest, read_array, read_json, write_array
from bench.index.build import build_compressed

METADATA = "metadata.json"
NBITS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Foreign:
    """An open index of another program. kind: ``colbert-ai`` or ``fast-plaid``; centroids ``[centroids, dim]``, cutoffs
    ``[buckets - 1]`` and weights ``[buckets]`` float32; doclens ``[passages]`` of each chunk; config: what it says.
    """

    folder: Path
    kind: str
    nbits: int
    centroids: np.ndarray
    cutoffs: np.ndarray
    weights: np.ndarray
    doclens: Sequence[np.ndarray]
    config: dict[str, Any]

    @property
    def passages(self) -> int:
        return sum(map(len, self.doclens))

    @functools.cached_property
    def codec(self) -> Codec:
        """The codec that decodes the parts, with its centroids rounded to a byte a dimension."""
        codebook = packing.codebook(self.weights, self.centroids.shape[1])
        return Codec(rounded(self.centroids), codebook, self.cutoffs, self.weights)

    def part(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return codes ``[vectors]`` and residuals ``[vectors, dim * nbits / 8]`` of a chunk, as our indexes have them.

        Raise DamagedFileError for shapes or codes that do not fit the rest of the index.
        """
        path = self.folder / f"{number}.codes{suffix(self.kind)}"
        vectors, (count, dim) = int(self.doclens[number].sum()), self.centroids.shape
        merged = self.folder / "merged_codes.npy"
        if self.kind == "fast-plaid" and not path.exists() and merged.exists():
            first = sum(int(lengths.sum()) for lengths in self.doclens[:number])
            codes, residuals = (
                np.array(read_array(merged.with_name(f"merged_{name}.npy"))[first : first + vectors])
                for name in ("codes", "residuals")
            )
        else:
            codes, residuals = _array(path), _array(path.with_name(f"{number}.residuals{path.suffix}"))
        if codes.shape != (vectors,) or residuals.shape != (vectors, dim * self.nbits // 8) or residuals.dtype != np.uint8:
            raise DamagedFileError(
                f"{path} has codes {codes.shape} and residuals {residuals.shape} of {residuals.dtype}; the doclens of the "
                f"chunk, dim {dim} and {self.nbits} bits ask for {(vectors,)} and {(vectors, dim * self.nbits // 8)}, uint8"
            )
        if vectors and not (codes.min() >= 0 and codes.max() < count):
            raise DamagedFileError(f"{path} has codes from {codes.min()} to {codes.max()}; there are {count} centroids")
        return codes.astype(code_dtype(count)), other_order(self.nbits)[residuals]


def suffix(kind: str) -> str:
    return ".pt" if kind == "colbert-ai" else ".npy"


def open_foreign(folder: Path) -> Foreign:
    """Open an index of colbert-ai or fast-plaid. Raise DamagedFileError for files that are missing, cut short or hold
    anything but tensors, and for passages without vectors.
    """
    said = read_json(folder / METADATA)
    if not isinstance(said, dict):
        raise DamagedFileError(f"{folder / METADATA} holds a {type(said).__name__}, expected a mapping of settings")
    kind = "colbert-ai" if "config" in said else "fast-plaid"
    config = said.get("config", said)
    nbits, chunks = (values.get(name) for values, name in ((config, "nbits"), (said, "num_chunks")))
    if nbits not in NBITS or type(chunks) is not int or chunks < 1:
        raise DamagedFileError(
            f"{folder / METADATA} has nbits {nbits!r} and num_chunks {chunks!r}: no index of colbert-ai or fast-plaid"
        )
    centroids = _array(folder / f"centroids{suffix(kind)}")
    if kind == "colbert-ai":
        cutoffs, weights = _tensors(folder / "buckets.pt", 2)
    else:
        cutoffs, weights = (_array(folder / f"bucket_{name}.npy") for name in ("cutoffs", "weights"))
    if centroids.ndim != 2 or cutoffs.shape != (2**nbits - 1,) or weights.shape != (2**nbits,):
        raise DamagedFileError(
            f"{folder} has centroids {centroids.shape}, cutoffs {cutoffs.shape} and weights {weights.shape}; {nbits} bits "
            f"ask for (centroids, dim), ({2**nbits - 1},) and ({2**nbits},)"
        )
    tables = [part.astype(np.float32) for part in (centroids, cutoffs, weights)]
    if not all(np.isfinite(part).all() for part in tables):
        raise DamagedFileError(f"{folder} has centroids or buckets that are not finite")
    CodecName("residual", nbits).check_dim(centroids.shape[1])
    doclens = [_doclens(folder / f"doclens.{number}.json") for number in range(chunks)]
    total = sum(int(lengths.sum()) for lengths in doclens)
    if (stated := said.get("num_embeddings", total)) != total:
        raise DamagedFileError(f"{folder} has doclens adding up to {total}, {METADATA} says {stated} vectors")
    return Foreign(folder, kind, nbits, tables[0], tables[1], tables[2], doclens, config)


def import_index(foreign: Foreign, ids: Sequence[str], output: Path, work: Path, **manifest: Any) -> Manifest:
    """Write an index of ours, one chunk at a time; ``work`` holds the parts meanwhile.

    Centroids are rounded to a byte a dimension, as every index of ours has them. Raise DataError unless there is one id for
    each passage.
    """
    if len(ids) != foreign.passages:
        raise DataError(f"{foreign.folder} has {foreign.passages} passages, but {len(ids)} ids are given: other passages")
    codes: list[np.ndarray] = []
    residuals: list[np.ndarray] = []
    for number in range(len(foreign.doclens)):
        for name, array, parts in zip(("codes", "residuals"), foreign.part(number), (codes, residuals), strict=True):
            write_array(work / f"{name}-{number}.npy", array)
            parts.append(read_array(work / f"{name}-{number}.npy"))
    settings = {"codec": f"residual-{foreign.nbits}", "source": foreign.kind, **manifest.pop("settings", {})}
    return build_compressed(output, foreign.doclens, codes, residuals, foreign.codec, ids, settings=settings, **manifest)


def _doclens(path: Path) -> np.ndarray:
    found = read_json(path)
    if not isinstance(found, list) or not found or not all(type(length) is int for length in found):
        raise DamagedFileError(f"{path} is not a list of numbers of vectors")
    if min(found) < 1:
        raise DataError(f"{path} has {min(found)} vectors for passage {found.index(min(found))}: it could never be found")
    return np.array(found, np.int32)


def _array(path: Path) -> np.ndarray:
    return read_array(path, mapped=False) if path.suffix == ".npy" else _tensors(path)[0]


def _tensors(path: Path, count: int = 1) -> list[np.ndarray]:
    """Return the tensors of a PyTorch file. Whatever else is pickled in it is not run, but refused."""
    import torch

    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise DamagedFileError(f"{path} is missing") from error
    except (UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise DamagedFileError(f"{path} holds something else than tensors, or is cut short ({reason})") from error
    parts = [found] if isinstance(found, torch.Tensor) else found
    if not isinstance(parts, list | tuple) or len(parts) != count or not all(isinstance(it, torch.Tensor) for it in parts):
        raise DamagedFileError(f"{path} holds a {type(found).__name__}, expected tensors: {count}")
    return [part.float().numpy() if part.is_floating_point() else part.numpy() for part in parts]
