"""A fitted codec. All compressed codecs have the same form, so there is one decoder and one file layout.

A vector is stored as the id of a centroid and a residual. Each byte of the residual selects one of 256 sub-vectors for its
dimensions. Two parts are optional: a linear map, which is applied before everything else; and a factor of the residual,
which is either a gain selected by an additional byte, or the spread of the centroid.
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
from bench.files.finite import check_finite
from bench.files.storage import FolderWriter, read_array

CENTROIDS, SCALES = "centroids.npy", "centroid_scales.npy"
FILES = (CENTROIDS, SCALES, *(f"{name}.npy" for name in (*TABLES, SPREADS)))
TINY = np.finfo(np.float32).tiny
ORTHOGONAL = 1e-4


def _none(*shape: int) -> np.ndarray:
    return np.empty(shape, np.float32)


@dataclass(frozen=True)
class Codec:
    """Centroids ``[centroids, dim]`` and codebook ``[sub-vectors, 256, dim / sub-vectors]``, float32 unless said otherwise.

    cutoffs ``[buckets - 1]`` and weights ``[buckets]``: scalar buckets, or one row of them for each dimension; empty for a
    learned codebook. map ``[dim, dim]``: vectors are multiplied by the map from the left before anything else; empty if
    there is no map. Centroids and decoded vectors are mapped. Queries are mapped such that inner products do not change. If
    the map is not a rotation, it changes lengths, and decoded vectors are not normalised. gains ``[256]``: empty without a
    byte for gains; spreads ``[centroids]`` float16: empty without spreads. A codec has gains or spreads, not both. On disk a
    centroid has one byte per dimension; ``save`` refuses centroids that ``bench.codec.int8_centroids`` would change.
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
        """Number of bytes of a residual, including the byte of its gain."""
        return len(self.codebook) + (len(self.gains) > 0)

    @cached_property
    def largest_factor(self) -> float:
        """Largest factor that a residual is multiplied by."""
        return float(max(self.gains.max(initial=0), self.spreads.max(initial=0))) if self.factors else 1.0

    @property
    def factors(self) -> bool:
        """Whether residuals are multiplied by a factor."""
        return len(self.gains) > 0 or len(self.spreads) > 0

    @cached_property
    def normalised(self) -> bool:
        """Whether decoded vectors are normalised, which is the case if the map keeps lengths."""
        return not len(self.map) or bool(np.allclose(self.map @ self.map.T, np.eye(self.dim), atol=ORTHOGONAL))

    @cached_property
    def inverse(self) -> np.ndarray:
        return np.linalg.inv(self.map.astype(np.float64)).astype(np.float32)

    @cached_property
    def _query_map(self) -> np.ndarray:
        return np.ascontiguousarray(self.inverse.T)

    def mapped(self, vectors: np.ndarray) -> np.ndarray:
        """Return vectors ``[vectors, dim]`` float32 after the map, or unchanged if there is no map."""
        return vectors @ self.map if len(self.map) else vectors

    def mapped_queries(self, queries: np.ndarray) -> np.ndarray:
        """Return query vectors ``[vectors, dim]`` float32 whose inner products with mapped vectors equal the original ones.

        The product is computed by a compiled loop. The threads of a BLAS wait actively for the next product, which would
        slow down searches that run at the same time.
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
        """Return residual bytes ``[vectors, bytes]`` uint8 of vectors ``[vectors, dim]``, not yet mapped, with codes."""
        if len(vectors) != len(codes):
            raise DataError(f"{len(codes)} codes are given for {len(vectors)} vectors")
        check_codes(codes, len(self.centroids), "what is encoded")
        packed = np.empty((len(vectors), self.bytes), np.uint8) if out is None else np.asarray(out)
        quantize = self._quantizer()

        def each(some: slice) -> None:
            quantize(self.mapped(vectors[some].astype(np.float32)), codes[some], packed[some])

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(each, blocks(len(vectors))))
        return packed

    def _quantizer(self) -> Callable[[np.ndarray, np.ndarray, np.ndarray], None]:
        """Return the function that fills bytes ``[vectors, bytes]`` from mapped vectors and their codes."""
        if not len(self.cutoffs):
            compared = (1 / self.spreads.astype(np.float32), *product.tables(self.codebook))
            return lambda vectors, codes, out: loops.nearest_parts(vectors, self.centroids, codes, *compared, out)
        shape = self.dim, self.cutoffs.shape[-1]
        cutoffs = np.ascontiguousarray(np.broadcast_to(self.cutoffs, shape).T)
        if not len(self.gains):
            return lambda vectors, codes, out: loops.quantize(vectors, self.centroids, codes, cutoffs, out)
        return lambda vectors, codes, out: self._with_gains(vectors - self.centroids[codes], cutoffs, out)

    def _with_gains(self, residuals: np.ndarray, cutoffs: np.ndarray, out: np.ndarray) -> None:
        """Encode the direction of each residual, and then its gain in the last byte."""
        zero, same = np.zeros((1, self.dim), np.float32), np.zeros(len(residuals), np.uint8)
        loops.quantize(rotated.unit(residuals), zero, same, cutoffs, out[:, :-1])
        directions = np.empty_like(residuals)
        loops.decode(zero, self.codebook, _none(0), _none(0), same, out[:, :-1], directions)
        out[:, -1] = scalar.nearest(rotated.gains(residuals, directions), self.gains)

    def decode(self, codes: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return mapped vectors ``[vectors, dim]`` float32 from codes and residual bytes ``[vectors, bytes]``.

        The vectors have norm 1 if the codec is ``normalised``.
        """
        vectors, norms = self._sums(codes, residuals)
        vectors /= np.maximum(norms, TINY)[:, None]
        return vectors

    def norms(self, codes: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Return ``[vectors]`` float32: the norm of centroid plus residual, by which decoding divides, or 1."""
        return self._sums(codes, residuals)[1]

    def _sums(self, codes: np.ndarray, residuals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        check_codes(codes, len(self.centroids), "what is decoded")
        if residuals.shape != (len(codes), self.bytes) or residuals.dtype != np.uint8:
            raise DataError(f"residuals of {residuals.dtype} {residuals.shape} do not fit {len(codes)} codes of this codec")
        vectors = np.empty((len(codes), self.dim), np.float32)
        spreads = self.spreads.astype(np.float32)
        loops.decode(self.centroids, self.codebook, self.gains, spreads, codes, residuals, vectors)
        return vectors, np.linalg.norm(vectors, axis=1) if self.normalised else np.ones(len(vectors), np.float32)

    def save(self, writer: FolderWriter) -> None:
        """Write the arrays. Raise DataError for centroids that would change when they are read again."""
        values, scales = to_bytes(self.centroids)
        if not np.array_equal(from_bytes(values, scales), self.centroids):
            raise DataError(f"the centroids for {writer.folder} do not fit in a byte a dimension: round them first")
        writer.array(CENTROIDS, values)
        writer.array(SCALES, scales)
        for name in (*TABLES, SPREADS):
            writer.array(f"{name}.npy", getattr(self, name))


def check_codes(codes: np.ndarray, centroids: int, source: str) -> None:
    """Raise DamagedFileError for a code that is no centroid: compiled loops read and write by codes without a check."""
    if len(codes) and not (codes.dtype.kind in "ui" and codes.min() >= 0 and codes.max() < centroids):
        raise DamagedFileError(
            f"{source} has codes {codes.min()} to {codes.max()} of {codes.dtype}, the centroids are 0 to {centroids - 1}; "
            "make the codes again"
        )


def load(folder: Path) -> Codec:
    """Read the arrays of a codec. Raise DamagedFileError if they are not finite or their shapes do not fit together."""
    centroids = from_bytes(*(read_array(folder / name, mapped=False) for name in (CENTROIDS, SCALES)))
    codec = Codec(centroids, *(read_array(folder / f"{name}.npy", mapped=False) for name in (*TABLES, SPREADS)))
    if codec.centroids.ndim != 2 or codec.codebook.ndim != 3:
        raise DamagedFileError(f"{folder} has centroids {codec.centroids.shape} and codebook {codec.codebook.shape}")
    for name in ("centroids", *TABLES, SPREADS):
        check_finite(getattr(codec, name), f"{name} of {folder}")
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
