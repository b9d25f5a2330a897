"""Product quantization of residuals, by faiss.

Dimensions are cut into as many stretches as there are bytes, and each stretch has 256 sub-vectors of its own, found by
k-means (Jégou et al., Product quantization for nearest neighbor search, 2011). A codebook of k-means adapts to the joint
distribution of its dimensions, where that of scalar buckets is their product. Where stretches differ in variance or are
correlated, a rotation first balances them: OPQ (Ge et al., Optimized product quantization, 2013, section 3.2) finds one by
turns with the codebook. As any rotation it costs nothing but one product for a query.
"""

import faiss
import numpy as np

POINTS = 32_768
ITERATIONS = 12
ROTATION_POINTS, ROTATION_ITERATIONS = 16_384, 8


def fit(residuals: np.ndarray, number_of_bytes: int, seed: int) -> np.ndarray:
    """Codebook ``[bytes, 256, dim / bytes]`` float32 from the first ``POINTS`` of residuals ``[heldout, dim]`` float32.

    Fewer than 256 residuals are repeated until there are 256.
    """
    quantizer = faiss.ProductQuantizer(residuals.shape[1], number_of_bytes, 8)
    quantizer.cp.niter, quantizer.cp.seed, quantizer.cp.min_points_per_centroid = ITERATIONS, seed % 2**31, 1
    _alone()
    quantizer.train(_enough(residuals, POINTS))
    return faiss.vector_to_array(quantizer.centroids).reshape(number_of_bytes, 256, -1).copy()


def rotation(residuals: np.ndarray, number_of_bytes: int, seed: int) -> np.ndarray:
    """The orthogonal ``[dim, dim]`` float32 of OPQ, to multiply residuals ``[heldout, dim]`` float32 by from the left."""
    dim = residuals.shape[1]
    found = faiss.OPQMatrix(dim, number_of_bytes)
    quantizer = faiss.ProductQuantizer(dim, number_of_bytes, 8)
    quantizer.cp.seed, quantizer.cp.min_points_per_centroid = seed % 2**31, 1
    found.pq = quantizer
    found.niter, found.niter_pq, found.niter_pq_0 = ROTATION_ITERATIONS, 1, ROTATION_ITERATIONS
    _alone()
    found.train(_enough(residuals, ROTATION_POINTS))
    left, _, right = np.linalg.svd(faiss.vector_to_array(found.A).reshape(dim, dim).astype(np.float64))
    return np.ascontiguousarray((left @ right).T, np.float32)  # orthogonal to the last bit of float32


def assign(residuals: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """Bytes ``[vectors, bytes]`` uint8 of the sub-vectors nearest to residuals ``[vectors, dim]`` float32."""
    quantizer = faiss.ProductQuantizer(residuals.shape[1], len(codebook), 8)
    faiss.copy_array_to_vector(np.ascontiguousarray(codebook, np.float32).ravel(), quantizer.centroids)
    _alone()
    return quantizer.compute_codes(np.ascontiguousarray(residuals, np.float32))


def _enough(residuals: np.ndarray, most: int) -> np.ndarray:
    some = np.ascontiguousarray(residuals[:most], np.float32)
    return np.resize(some, (256, some.shape[1])) if len(some) < 256 else some


def _alone() -> None:
    """Threads are the caller's: faiss, in each of them, uses none of its own, and so finds the same on every machine."""
    faiss.omp_set_num_threads(1)
