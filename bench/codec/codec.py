"""A fitted codec: every compressed one has the same shape, so that there is one decoder and one file layout.

A vector is a centroid plus a residual; each byte of the residual picks one of 256 sub-vectors for its dimensions.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.codec import residual
from bench.errors import DamagedFileError, SettingsError
from bench.storage import FolderWriter, read_array

FILES = ("centroids.npy", "codebook.npy", "cutoffs.npy", "weights.npy")


@dataclass(frozen=True)
class Codec:
    """centroids ``[centroids, dim]``, codebook ``[bytes, 256, dim / bytes]``, and the paper's cutoffs and weights."""

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

    def encode(self, vectors: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Residual bytes ``[vectors, bytes]`` uint8 of vectors ``[vectors, dim]`` with their codes ``[vectors]``."""
        return residual.quantize(vectors.astype(np.float32) - self.centroids[codes], self.cutoffs)

    def decode(self, codes: np.ndarray, residuals: np.ndarray) -> np.ndarray:
        """Vectors ``[vectors, dim]`` float32 of norm 1 from codes ``[vectors]`` and residual bytes ``[vectors, bytes]``."""
        parts = self.codebook[np.arange(self.bytes), residuals]
        vectors = self.centroids[codes] + parts.reshape(len(codes), self.dim)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.maximum(norms, np.finfo(np.float32).tiny)

    def save(self, writer: FolderWriter) -> None:
        for name in FILES:
            writer.array(name, getattr(self, name.removesuffix(".npy")))


def fit_residual(centroids: np.ndarray, heldout: np.ndarray, heldout_codes: np.ndarray, nbits: int) -> Codec:
    """The paper's codec from held-out vectors ``[heldout, dim]``; raises SettingsError where bytes do not divide dim."""
    dim = centroids.shape[1]
    if dim * nbits % 8:
        raise SettingsError(f"dim {dim} at {nbits} bits does not fill whole bytes; use a multiple of {8 // nbits}")
    cutoffs, weights = residual.fit(heldout.astype(np.float32) - centroids[heldout_codes], nbits)
    return Codec(centroids, residual.codebook(weights, dim), cutoffs, weights)


def load(folder: Path) -> Codec:
    """Read the arrays of a codec; raises DamagedFileError where their shapes do not fit together."""
    codec = Codec(*(read_array(folder / name, mapped=False) for name in FILES))
    if codec.codebook.shape != (codec.bytes, 256, codec.dim // max(codec.bytes, 1)):
        raise DamagedFileError(f"codebook {codec.codebook.shape} in {folder} does not fit vectors of dim {codec.dim}")
    return codec
