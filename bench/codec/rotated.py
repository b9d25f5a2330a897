"""Scalar quantization after a random rotation, with the length of the residual in a byte of its own.

A random rotation spreads a residual evenly over all dimensions, whatever its distribution was: those of a unit vector
become nearly normal, with variance ``1 / dim``. So one set of buckets, the best for the normal distribution, suits every
dimension of every vector, and needs no data; the length, which is what data differ in, is stored beside them. The idea is
that of TurboQuant (arXiv 2504.19874, section 3.1) and RaBitQ (arXiv 2405.12497), here for residuals. A rotation leaves inner
products as they are, so the query is rotated once and centroids are stored rotated.
"""

from statistics import NormalDist

import numpy as np

from bench.codec.scalar import middles

GAINS = 256
ITERATIONS = 500


def rotation(dim: int, seed: int) -> np.ndarray:
    """A random orthogonal ``[dim, dim]`` float32, uniform over all of them; vectors are multiplied by it from the left."""
    factor, triangle = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))
    return (factor * np.sign(np.diag(triangle))).astype(np.float32)


def buckets(nbits: int, dim: int) -> tuple[np.ndarray, np.ndarray]:
    """Cutoffs ``[2**nbits - 1]`` and weights ``[2**nbits]`` float32: Lloyd's for normal values of variance 1/dim."""
    normal = NormalDist()
    weights = np.array([normal.inv_cdf((bucket + 0.5) / 2**nbits) for bucket in range(2**nbits)])
    for _ in range(ITERATIONS):
        density = [0.0, *map(normal.pdf, middles(weights)), 0.0]
        below = [0.0, *map(normal.cdf, middles(weights)), 1.0]
        weights = -np.diff(density) / np.diff(below)
    return (middles(weights) / np.sqrt(dim)).astype(np.float32), (weights / np.sqrt(dim)).astype(np.float32)


def unit(residuals: np.ndarray) -> np.ndarray:
    """Residuals ``[vectors, dim]`` float32 divided by their lengths; those of zero stay zero."""
    lengths = np.linalg.norm(residuals, axis=1, keepdims=True)
    return residuals / np.maximum(lengths, np.finfo(np.float32).tiny)


def gains(residuals: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """``[vectors]`` float32: the multiple of each direction ``[vectors, dim]`` that is nearest to its residual."""
    products = np.einsum("vd,vd->v", residuals, directions)
    squares = np.einsum("vd,vd->v", directions, directions)
    return np.divide(products, squares, out=np.zeros_like(products), where=squares > 0)


def gain_levels(found: np.ndarray) -> np.ndarray:
    """``[256]`` float32: equal steps from 0, which a residual of zero needs, to the largest of the given gains."""
    return np.linspace(0, max(float(found.max(initial=0)), 0.0), GAINS, dtype=np.float32)
