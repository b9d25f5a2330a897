"""Centroids: how many, from which sample, and by which k-means (arXiv 2112.01488, section 3.4)."""

import math

import faiss
import numpy as np

from bench.errors import SettingsError

HELDOUT_SHARE = 0.05
HELDOUT_MOST = 50_000


def number_of_centroids(vectors: int) -> int:
    """``2**floor(log2(16 * sqrt(vectors)))``: about 16 times the square root of the number of vectors."""
    if vectors < 1:
        raise SettingsError("an index needs at least one vector")
    return 2 ** math.floor(math.log2(16 * math.sqrt(vectors)))


def sample_size(passages: int) -> int:
    """Passages in the k-means sample: ``16 * sqrt(120 * passages)``, at most all of them."""
    return min(passages, 1 + int(16 * math.sqrt(120 * passages)))


def sample_passages(passages: int, rng: np.random.Generator) -> np.ndarray:
    """Sorted positions of the passages to take the sample from, without repetition."""
    return np.sort(rng.choice(passages, sample_size(passages), replace=False))


def hold_out(sample: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Split vectors ``[sample, dim]`` into those to train on and those to fit the buckets on.

    Five in a hundred are held out, at most 50,000; of fewer than twenty none can be spared, and both parts are all.
    """
    held = min(HELDOUT_MOST, int(HELDOUT_SHARE * len(sample)))
    if held == 0:
        return sample, sample
    order = rng.permutation(len(sample))
    return sample[np.sort(order[held:])], sample[np.sort(order[:held])]


def fit(sample: np.ndarray, centroids: int, *, seed: int, iterations: int) -> np.ndarray:
    """Spherical k-means: ``[sample, dim]`` float32 to at most ``centroids`` centres ``[., dim]`` of norm 1.

    Where the sample has no more distinct vectors than that, these are the centres.
    """
    # Sorting the whole sample is slow; unless a short stretch of it is short of distinct vectors, there are enough.
    if len(np.unique(sample[: 2 * centroids], axis=0)) <= centroids:
        distinct = np.unique(sample, axis=0)
        if len(distinct) <= centroids:
            return _unit(distinct)
    kmeans = faiss.Kmeans(
        sample.shape[1],
        centroids,
        niter=iterations,
        seed=seed,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=(2**31 - 1) // centroids,
    )
    kmeans.train(np.ascontiguousarray(sample, np.float32))
    return _unit(np.asarray(kmeans.centroids))


def _unit(vectors: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(norms, np.finfo(np.float32).tiny)).astype(np.float32)


def code_dtype(centroids: int) -> np.dtype:
    """The narrowest unsigned type that holds every centroid id."""
    return np.min_scalar_type(max(centroids - 1, 0))


def assign(vectors: np.ndarray, centroids: np.ndarray, *, block: int = 16_384) -> np.ndarray:
    """Code of each vector ``[vectors, dim]``: the centroid of the largest inner product, the lower id on a tie."""
    codes = np.empty(len(vectors), code_dtype(len(centroids)))
    for start in range(0, len(vectors), block):
        some = vectors[start : start + block].astype(np.float32)
        codes[start : start + block] = (some @ centroids.T).argmax(axis=1)
    return codes
