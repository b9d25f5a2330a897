"""Scalar quantization with the least squared error: Lloyd's buckets, and a scale for each dimension.

The paper's buckets are equally likely. They resolve the dense middle of the distribution as finely as its long tails. The
squared error is smallest if each weight is the mean of its bucket and each cutoff lies half-way between two weights (S. P.
Lloyd, Least squares quantization in PCM, 1982; J. Max, Quantizing for minimum distortion, 1960). Iterating these two
conditions from the paper's buckets finds such a quantizer. The dimensions of residuals have the same shape but different
widths, most of all after a PCA. Divided by its standard deviation, each dimension uses all of its buckets.
"""

import numpy as np

from bench.codec import residual
from bench.codec.scalar import middles

ITERATIONS = 50
VALUES = 1_000_000


def fit(residuals: np.ndarray, nbits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cutoffs ``[dim, 2**nbits - 1]`` and weights ``[dim, 2**nbits]`` float32 from residuals ``[heldout, dim]``."""
    scales = residuals.std(axis=0, dtype=np.float64)
    standard = np.divide(residuals, scales, out=np.zeros(residuals.shape), where=scales > 0)
    cutoffs, weights = optimal(standard, nbits)
    return (scales[:, None] * cutoffs).astype(np.float32), (scales[:, None] * weights).astype(np.float32)


def optimal(values: np.ndarray, nbits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cutoffs ``[2**nbits - 1]`` and weights ``[2**nbits]``, float64; of many values every n-th is used."""
    ordered = np.sort(values.ravel()[:: -(-values.size // VALUES)])
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    weights = residual.fit(ordered, nbits)[1].astype(np.float64)
    for _ in range(ITERATIONS):
        ends = np.concatenate([[0], np.searchsorted(ordered, middles(weights), side="right"), [len(ordered)]])
        counts = np.diff(ends)
        weights = np.where(counts, np.diff(sums[ends]) / np.maximum(counts, 1), weights)
    return middles(weights), weights
