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
    """What each byte stands for, ``[bytes, 256, dim / bytes]``: the product of the weights of its dimensions.

    weights ``[buckets]``, the same for all dimensions, or ``[dim, buckets]``.
    """
    nbits = (weights.shape[-1] - 1).bit_length()
    number_of_bytes = dim * nbits // 8
    buckets = unpack(np.arange(256, dtype=np.uint8)[:, None], nbits)
    own = np.broadcast_to(weights, (dim, weights.shape[-1])).reshape(number_of_bytes, 8 // nbits, -1)
    places = np.arange(8 // nbits)
    return np.ascontiguousarray(own[:, places, buckets])


def quantize(residuals: np.ndarray, cutoffs: np.ndarray) -> np.ndarray:
    """Residuals ``[vectors, dim]`` to bytes ``[vectors, dim * nbits / 8]``; a value on a cutoff goes to the lower bucket.

    cutoffs ``[buckets - 1]``, or ``[dim, buckets - 1]``.
    """
    buckets = (residuals[:, :, None] > cutoffs).sum(axis=2, dtype=np.uint8)
    return pack(buckets, cutoffs.shape[-1].bit_length())
