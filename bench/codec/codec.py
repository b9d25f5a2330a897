"""A fitted codec: every compressed one has the same shape, so that there is one decoder and one file layout.

A vector is a centroid plus a residual; each byte of the residual picks one of 256 sub-vectors for its dimensions. Options: a
linear map before everything; and what the residual is multiplied by, either its gain, which a last byte picks, or the
spread of its centroid.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from bench.codec import loops, product, rotated, scalar
from bench.codec.int8_centroids import from_bytes, to_bytes
from bench.codec.names import SPREADS, TABLES
from bench.codec.vectors import blocks
from bench.errors import DamagedFileError, DataError
from bench.files.storage import FolderWriter, read_array

CENTROIDS, SCALES = "centroids.npy", "centroid_scales.npy"
TINY = np.finfo(np.float32).tiny
ORTHOGONAL = 1e-4


def _none(*shape: int) -> np.ndarray:
    return np.empty(shape, np.float32)


@dataclass(frozen=True)
class Codec:
    """centroids ``[centroids, dim]``; codebook ``[sub-vectors, 256, dim / sub-vectors]``; float32 unless said otherwise.

    cutoffs ``[buckets - 1]`` and weights ``[buckets]`` of scalar buckets, or a row for each dimension, and empty for a
    codebook that was learned. map ``[dim, dim]``: what vectors are multiplied by from the left before anything else, or
    empty; centroids and decoded vectors are mapped ones, and queries are mapped so that inner products stay. Most often it
    is a rotation; where it is not, lengths mean nothing after it, and decoded vectors are not normalised. gains ``[256]``,
    or empty where there is no byte for them; spreads ``[centroids]`` float16, or empty; a codec has one of them at most. On
    disk centroids take a byte a dimension; ``save`` refuses others than ``bench.codec.int8_centroids`` gives.
    """

    centroids: np.ndarray
    codebook: np.ndarray
    cutoffs: np.ndarray = field(default_factory=lambda: _none(0))
    weights: np.ndarray = field(default_factory=lambda: _none(0))
    map: np.ndarray = field(default_factory=lambda: _none(0, 0))
    gains: np.ndarray = field(default_factory=lambda: _none(0))
    spreads: np.ndarray = field(default_factory=lambda: np.empty(0, np.float16))

    @property
    def dim(self) -> int:
        return int(self.centroids.shape[1])

    @property
    def bytes(self) -> int:
        """Bytes of one residual, that of its gain included."""
        return len(self.codebook) + (len(self.gains) > 0)

    @cached_property
    def largest_factor(self) -> float:
        """The most that a residual is multiplied by."""
        return float(max(self.gains.max(initial=0), self.spreads.max(initial=0))) if self.factors else 1.0

    @property
    def factors(self) -> bool:
        """Whether residuals are multiplied by anything."""
        return len(self.gains) > 0 or len(self.spreads) > 0

    @cached_property
    def normalised(self) -> bool:
        """Whether decoded vectors have norm 1: the map keeps lengths."""
        return not len(self.map) or bool(np.allclose(self.map @ self.map.T, np.eye(self.dim), atol=ORTHOGONAL))

    @cached_property
    def inverse(self) -> np.ndarray:
        return np.linalg.inv(self.map.astype(np.float64)).astype(np.float32)

    @cached_property
    def _query_map(self) -> np.ndarray:
        return np.ascontiguousarray(self.inverse.T)

    def mapped(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors ``[vectors, dim]`` float32 as the centroids of this codec are; as they were where it has no map."""
        return vectors @ self.map if len(self.map) else vectors

    def mapped_queries(self, queries: np.ndarray) -> np.ndarray:
        """Query vectors ``[vectors, dim]`` float32, whose products with mapped vectors are those of both before.

        By a loop of ours: threads of a BLAS, which wait for the next product in a loop, would take the time of searches.
        """
        if not len(self.map):
            return queries
        found = np.zeros(queries.shape, np.float32)
        loops.add_products(np.ascontiguousarray(queries, np.float32), self._query_map, found)
        return found

    def mapped_back(self, vectors: np.ndarray) -> np.ndarray:
        return vectors @ self.inverse if len(self.map) else vectors

    def encode(
        self, vectors: np.ndarray, codes: np.ndarray, *, threads: int = 1, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Residual bytes ``[vectors, bytes]`` uint8 of vectors ``[vectors, dim]``, not mapped, with their codes."""
        packed = np.empty((len(vectors), self.bytes), np.uint8) if out is None else np.asarray(out)
        quantize = self._quantizer()

        def each(some: slice) -> None:
            quantize(self.mapped(vectors[some].astype(np.float32)), codes[some], packed[some])

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(each, blocks(len(vectors))))
        return packed

    def _quantizer(self) -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
        """Fills bytes ``[vectors, bytes]`` for mapped vectors and their codes."""
        if not len(self.cutoffs):
            compared = (1 / self.spreads.astype(np.float32), *product.tables(self.codebook))
            return lambda vectors, codes, out: loops.nearest_parts(vectors, self.centroids, codes, *compared, out)
        shape = self.dim, self.cutoffs.shape[-1]
        cutoffs = np.ascontiguousarray(np.broadcast_to(self.cutoffs, shape).T)
        if not len(self.gains):
            return lambda vectors, codes, out: loops.quantize(vectors, self.centroids, codes, cutoffs, out)
        return lambda vectors, codes, out: self._with_gains(vectors - self.centroids[codes], cutoffs, out)

    def _with_gains(self, residuals: np.ndarray, cutoffs: np.ndarray, out: np.ndarray) -> None:
        """Bytes of the direction of each residual, and then of its gain."""
        zero, same = np.zeros((1, self.dim), np.float32), np.zeros(len(residuals), np.uint8)
        loops.quantize(rotated.unit(residuals), zero, same, cutoffs, out[:, :-1])
        directions = np.empty_like(residuals)
        loops.decode(zero, self.codebook, _none(0), _none(0), same, out[:, :-1], directions)
        out[:, -1] = scalar.nearest(rotated.gains(residuals, directions), self.gains)

    def decode(self, codes: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Mapped vectors ``[vectors, dim]`` float32, of norm 1 where ``normalised``, from codes and residual bytes
        ``[vectors, bytes]``."""
        vectors, norms = self._sums(codes, residuals)
        vectors /= np.maximum(norms, TINY)[:, None]
        return vectors

    def norms(self, codes: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """``[vectors]`` float32: what decoding divides by, the norm of centroid plus residual, or 1."""
        return self._sums(codes, residuals)[1]

    def _sums(self, codes: np.ndarray, residuals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        vectors = np.empty((len(codes), self.dim), np.float32)
        spreads = self.spreads.astype(np.float32)
        loops.decode(self.centroids, self.codebook, self.gains, spreads, codes, residuals, vectors)
        return vectors, np.linalg.norm(vectors, axis=1) if self.normalised else np.ones(len(vectors), np.float32)

    def save(self, writer: FolderWriter) -> None:
        """Write the arrays; raises DataError for centroids that would be read back as others."""
        values, scales = to_bytes(self.centroids)
        if not np.array_equal(from_bytes(values, scales), self.centroids):
            raise DataError(f"the centroids for {writer.folder} do not fit in a byte a dimension: round them first")
        writer.array(CENTROIDS, values)
        writer.array(SCALES, scales)
        for name in (*TABLES, SPREADS):
            writer.array(f"{name}.npy", getattr(self, name))


def load(folder: Path) -> Codec:
    """Read the arrays of a codec; raises DamagedFileError where their shapes do not fit together."""
    centroids = from_bytes(*(read_array(folder / name, mapped=False) for name in (CENTROIDS, SCALES)))
    codec = Codec(centroids, *(read_array(folder / f"{name}.npy", mapped=False) for name in (*TABLES, SPREADS)))
    dim, count = codec.dim, max(len(codec.codebook), 1)
    if codec.codebook.shape != (count, 256, dim // count) or dim % count:
        raise DamagedFileError(f"codebook {codec.codebook.shape} in {folder} does not fit vectors of dim {dim}")
    if codec.map.shape not in ((0, 0), (dim, dim)):
        raise DamagedFileError(f"map {codec.map.shape} in {folder} does not fit vectors of dim {dim}")
    if codec.gains.shape not in ((0,), (rotated.GAINS,)):
        raise DamagedFileError(f"{folder} has {len(codec.gains)} gains; a byte picks one of {rotated.GAINS}")
    if codec.spreads.shape not in ((0,), (len(codec.centroids),)):
        raise DamagedFileError(f"{folder} has {len(codec.spreads)} spreads for {len(codec.centroids)} centroids")
    return codec
