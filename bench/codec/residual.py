"""The paper's codec: each dimension of the residual in one of ``2**nbits`` buckets (arXiv 2112.01488, section 3.3).

Cutoffs and weights are quantiles of all dimensions of held-out residuals together: ``2**nbits`` equally likely buckets,
each represented by the median of its share.
"""

import numpy as np

from bench.codec.packing import pack


def fit(residuals: np.ndarray, nbits: int) -> tuple[np.ndarray, np.ndarray]:
    """Bucket cutoffs ``[2**nbits - 1]`` and weights ``[2**nbits]``, float32, from residuals ``[heldout, dim]``."""
    buckets = 2**nbits
    edges = np.arange(1, buckets) / buckets
    middles = (np.arange(buckets) + 0.5) / buckets
    quantiles = np.quantile(residuals.astype(np.float64), np.concatenate([edges, middles])).astype(np.float32)
    return quantiles[: buckets - 1], quantiles[buckets - 1 :]


def quantize(residuals: np.ndarray, cutoffs: np.ndarray) -> np.ndarray:
    """Residuals ``[vectors, dim]`` to bytes ``[vectors, dim * nbits / 8]``; a value on a cutoff goes to the lower bucket.

    cutoffs ``[buckets - 1]``, or ``[dim, buckets - 1]``.
    """
    buckets = (residuals[:, :, None] > cutoffs).sum(axis=2, dtype=np.uint8)
    return pack(buckets, cutoffs.shape[-1].bit_length())
