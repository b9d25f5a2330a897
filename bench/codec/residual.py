"""The paper's codec: each dimension of the residual in one of ``2**nbits`` buckets (arXiv 2112.01488, section 3.3).

Cutoffs and weights are quantiles of all dimensions of held-out residuals together: ``2**nbits`` equally likely buckets,
each represented by the median of its share.
"""

import numpy as np

from bench.codec.packing import pack, unpack


def fit(residuals: np.ndarray, nbits: int) -> tuple[np.ndarray, np.ndarray]:
    """Bucket cutoffs ``[2**nbits - 1]`` and weights ``[2**nbits]``, float32, from residuals ``[heldout, dim]``."""
    buckets = 2**nbits
    edges = np.arange(1, buckets) / buckets
    middles = (np.arange(buckets) + 0.5) / buckets
    quantiles = np.quantile(residuals.astype(np.float64), np.concatenate([edges, middles])).astype(np.float32)
    return quantiles[: buckets - 1], quantiles[buckets - 1 :]


def codebook(weights: np.ndarray, dim: int) -> np.ndarray:
    """What each byte stands for, ``[bytes, 256, dim / bytes]``: the product of the bucket weights."""
    nbits = (len(weights) - 1).bit_length()
    entries = weights[unpack(np.arange(256, dtype=np.uint8)[:, None], nbits)]
    return np.repeat(entries[None], dim * nbits // 8, axis=0)


def quantize(residuals: np.ndarray, cutoffs: np.ndarray) -> np.ndarray:
    """Residuals ``[vectors, dim]`` to bytes ``[vectors, dim * nbits / 8]``; a value on a cutoff goes to the lower bucket."""
    buckets = np.searchsorted(cutoffs, residuals).astype(np.uint8)
    return pack(buckets, len(cutoffs).bit_length())
