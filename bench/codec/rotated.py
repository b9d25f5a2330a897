"""Scalar quantization after a random rotation, with the length of the residual in an additional byte.

A random rotation spreads a residual evenly over all dimensions. The dimensions of a rotated unit vector are nearly normal
with variance ``1 / dim``, whatever the distribution of the data. One set of buckets, optimal for the normal distribution,
therefore suits every dimension of every vector and needs no data. The length depends on the data and is stored beside the
buckets. The idea is from TurboQuant (arXiv 2504.19874, section 3.1) and RaBitQ (arXiv 2405.12497), here applied to
residuals. A rotation keeps inner products, so each query is rotated once, and centroids are stored rotated.
"""

from statistics import NormalDist

import numpy as np

from bench.codec.scalar import middles

GAINS = 256
ITERATIONS = 500


def rotation(dim: int, seed: int) -> np.ndarray:
    """Return a uniformly random orthogonal ``[dim, dim]`` float32, by which vectors are multiplied from the left."""
    factor, triangle = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))
    return (factor * np.sign(np.diag(triangle))).astype(np.float32)


def buckets(nbits: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cutoffs ``[2**nbits - 1]`` and weights ``[2**nbits]`` float32: Lloyd's for a normal variance of 1/dim."""
    normal = NormalDist()
    weights = np.array([normal.inv_cdf((bucket + 0.5) / 2**nbits) for bucket in range(2**nbits)])
    for _ in range(ITERATIONS):
        density = [0.0, *map(normal.pdf, middles(weights)), 0.0]
        below = [0.0, *map(normal.cdf, middles(weights)), 1.0]
        weights = -np.diff(density) / np.diff(below)
    return (middles(weights) / np.sqrt(dim)).astype(np.float32), (weights / np.sqrt(dim)).astype(np.float32)


def unit(residuals: np.ndarray) -> np.ndarray:
    """Return residuals ``[vectors, dim]`` float32 divided by their lengths; zero vectors stay zero."""
    lengths = np.linalg.norm(residuals, axis=1, keepdims=True)
    return residuals / np.maximum(lengths, np.finfo(np.float32).tiny)


def gains(residuals: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return ``[vectors]`` float32: for each residual, the best factor of its quantized direction ``[vectors, dim]``."""
    products = np.einsum("vd,vd->v", residuals, directions)
    squares = np.einsum("vd,vd->v", directions, directions)
    return np.divide(products, squares, out=np.zeros_like(products), where=squares > 0)


def gain_levels(found: np.ndarray) -> np.ndarray:
    """Return ``[256]`` float32: equal steps from 0, for residuals of length zero, to the largest gain."""
    return np.linspace(0, max(float(found.max(initial=0)), 0.0), GAINS, dtype=np.float32)
