"""A fitted codec: every compressed one has the same shape, so that there is one decoder and one file layout.

A vector is a centroid plus a residual; each byte of the residual picks one of 256 sub-vectors for its dimensions.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.codec import loops, residual
from bench.codec.rounding import from_bytes, rounded, to_bytes
from bench.errors import DamagedFileError, DataError, SettingsError
from bench.storage import FolderWriter, read_array

CENTROIDS, SCALES = "centroids.npy", "centroid_scales.npy"
TABLES = ("codebook", "cutoffs", "weights")
TINY = np.finfo(np.float32).tiny


@dataclass(frozen=True)
class Codec:
    """centroids ``[centroids, dim]``, codebook ``[bytes, 256, dim / bytes]``, and the paper's cutoffs and weights.

    On disk centroids take a byte a dimension; ``save`` refuses others than ``bench.codec.rounding`` gives.
    """

    centroids: np.ndarray
    codebook: np.ndarray
    cutoffs: np.ndarray
    weights: np.ndarray

    @property
    def dim(self) -> int:
        return int(self.centroids.shape[1])

    @property
    def bytes(self) -> int:
        """Bytes of one residual."""
        return len(self.codebook)

    def encode(
        self, vectors: np.ndarray, codes: np.ndarray, *, threads: int = 1, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Residual bytes ``[vectors, bytes]`` uint8 of vectors ``[vectors, dim]`` with their codes ``[vectors]``.

        Raises SettingsError for a codebook that was learned, whose bytes only its own way of fitting can choose.
        """
        if not len(self.cutoffs):
            raise SettingsError("a learned codebook has no cutoffs to quantize by: assign its bytes where it is fitted")
        packed = np.empty((len(vectors), self.bytes), np.uint8) if out is None else np.asarray(out)

        def quantize(some: slice) -> None:
            loops.quantize(vectors[some].astype(np.float32), self.centroids, codes[some], self.cutoffs, packed[some])

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(quantize, loops.blocks(len(vectors))))
        return packed

    def decode(self, codes: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Vectors ``[vectors, dim]`` float32 of norm 1 from codes ``[vectors]`` and residual bytes ``[vectors, bytes]``."""
        vectors, norms = self._sums(codes, residuals)
        vectors /= np.maximum(norms, TINY)[:, None]
        return vectors

    def norms(self, codes: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """``[vectors]`` float32: the norm of centroid plus residual, which decoding divides by."""
        return self._sums(codes, residuals)[1]

    def _sums(self, codes: np.ndarray, residuals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        vectors = np.empty((len(codes), self.dim), np.float32)
        loops.decode(self.centroids, self.codebook, codes, residuals, vectors)
        return vectors, np.linalg.norm(vectors, axis=1)

    def save(self, writer: FolderWriter) -> None:
        """Write the arrays; raises DataError for centroids that would be read back as others."""
        values, scales = to_bytes(self.centroids)
        if not np.array_equal(from_bytes(values, scales), self.centroids):
            raise DataError(f"the centroids for {writer.folder} do not fit in a byte a dimension: round them first")
        writer.array(CENTROIDS, values)
        writer.array(SCALES, scales)
        for name in TABLES:
            writer.array(f"{name}.npy", getattr(self, name))


def fit_residual(centroids: np.ndarray, heldout: np.ndarray, heldout_codes: np.ndarray, nbits: int) -> Codec:
    """The paper's codec from held-out vectors ``[heldout, dim]``; raises SettingsError where bytes do not divide dim."""
    dim = centroids.shape[1]
    if dim * nbits % 8:
        raise SettingsError(f"dim {dim} at {nbits} bits does not fill whole bytes; use a multiple of {8 // nbits}")
    centroids = rounded(centroids)
    cutoffs, weights = residual.fit(heldout.astype(np.float32) - centroids[heldout_codes], nbits)
    return Codec(centroids, residual.codebook(weights, dim), cutoffs, weights)


def load(folder: Path) -> Codec:
    """Read the arrays of a codec; raises DamagedFileError where their shapes do not fit together."""
    centroids = from_bytes(*(read_array(folder / name, mapped=False) for name in (CENTROIDS, SCALES)))
    codec = Codec(centroids, *(read_array(folder / f"{name}.npy", mapped=False) for name in TABLES))
    if codec.codebook.shape != (codec.bytes, 256, codec.dim // max(codec.bytes, 1)):
        raise DamagedFileError(f"codebook {codec.codebook.shape} in {folder} does not fit vectors of dim {codec.dim}")
    return codec
