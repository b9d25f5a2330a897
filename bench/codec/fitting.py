"""From a codec's name and held-out vectors to a fitted codec."""

import numpy as np

from bench.codec import lloyd, loops, packing, product, residual, rotated
from bench.codec import query_aware as aware
from bench.codec.codec import Codec
from bench.codec.int8_centroids import rounded
from bench.codec.kmeans import Clusters
from bench.codec.names import CodecName
from bench.errors import SettingsError

GRID = 2.0**-18  # of the entries of a fitted map; rows of 128 entries keep their length within 2e-5


def fit(
    name: CodecName,
    clusters: Clusters,
    heldout: np.ndarray,
    codes: np.ndarray,
    seed: int,
    queries: np.ndarray | None = None,
    *,
    threads: int = 1,
) -> Codec:
    """A codec fitted on vectors ``[heldout, dim]`` with their codes ``[heldout]``; clusters as found.

    seed: of a random rotation and of k-means; queries ``[vectors, dim]``: of training queries, for a codec that needs them;
    the number of threads changes nothing. Raises SettingsError where dimensions do not fill bytes, where queries are missing
    and where they are given to a codec that would not look at them.
    """
    centroids = clusters.centroids
    name.check_dim(centroids.shape[1])
    if name.needs_queries and (queries is None or not len(queries)):
        raise SettingsError(f"codec {str(name)!r} is fitted on vectors of training queries as well: give some")
    if queries is not None and not name.needs_queries:
        raise SettingsError(f"codec {str(name)!r} is fitted on passages alone: it takes no vectors of queries")
    vectors = heldout.astype(np.float32)
    match name.family:
        case "residual":
            return fit_residual(centroids, vectors, codes, name.size)
        case "lloyd":
            return fit_lloyd(centroids, vectors, codes, name.size)
        case "rotated":
            return fit_rotated(centroids, vectors, codes, name.size, seed)
        case "pq":
            return fit_product(centroids, vectors, codes, name.size, seed, threads=threads)
    weighting = np.eye(centroids.shape[1]) if queries is None else aware.weighting(queries)
    return fit_optimized(clusters, vectors, codes, name.size, seed, weighting=weighting, threads=threads)


def fit_residual(centroids: np.ndarray, heldout: np.ndarray, codes: np.ndarray, nbits: int) -> Codec:
    """The paper's codec (``bench.codec.residual``)."""
    CodecName("residual", nbits).check_dim(centroids.shape[1])
    centroids = rounded(centroids)
    cutoffs, weights = residual.fit(heldout.astype(np.float32) - centroids[codes], nbits)
    return Codec(centroids, packing.codebook(weights, centroids.shape[1]), cutoffs, weights)


def fit_lloyd(centroids: np.ndarray, heldout: np.ndarray, codes: np.ndarray, nbits: int) -> Codec:
    """Buckets of least squared error, a scale for each dimension (``bench.codec.lloyd``)."""
    centroids = rounded(centroids)
    cutoffs, weights = lloyd.fit(heldout - centroids[codes], nbits)
    return Codec(centroids, packing.codebook(weights, centroids.shape[1]), cutoffs, weights)


def fit_rotated(centroids: np.ndarray, heldout: np.ndarray, codes: np.ndarray, nbits: int, seed: int) -> Codec:
    """A random rotation, the buckets of the normal distribution, and a gain (``bench.codec.rotated``)."""
    dim = centroids.shape[1]
    rotation = rotated.rotation(dim, seed)
    centroids = rounded(centroids @ rotation)
    cutoffs, weights = rotated.buckets(nbits, dim)
    codebook = packing.codebook(weights, dim)
    residuals = heldout @ rotation - centroids[codes]
    packed = residual.quantize(rotated.unit(residuals), cutoffs)
    levels = rotated.gain_levels(rotated.gains(residuals, product.decoded(packed, codebook)))
    return Codec(centroids, codebook, cutoffs, weights, rotation, levels)


def fit_product(
    centroids: np.ndarray, heldout: np.ndarray, codes: np.ndarray, number_of_bytes: int, seed: int, *, threads: int = 1
) -> Codec:
    """Product quantization (``bench.codec.product``)."""
    centroids = rounded(centroids)
    return Codec(centroids, product.fit(heldout - centroids[codes], number_of_bytes, seed, threads=threads))


def fit_optimized(
    clusters: Clusters,
    heldout: np.ndarray,
    codes: np.ndarray,
    number_of_bytes: int,
    seed: int,
    *,
    weighting: np.ndarray,
    threads: int = 1,
) -> Codec:
    """Product quantization of residuals over the spread of their centroid, times ``weighting [dim, dim]`` and the rotation
    that OPQ finds for them."""
    spreads = clusters.spreads[codes].astype(np.float32)[:, None]
    weighted = ((heldout - clusters.centroids[codes]) / spreads @ weighting).astype(np.float32)
    mapping = _on_grid(weighting @ product.rotation(weighted, number_of_bytes))
    centroids = rounded(_products(clusters.centroids, mapping))
    residuals = (_products(heldout, mapping) - centroids[codes]) / spreads
    codebook = product.fit(residuals, number_of_bytes, seed, threads=threads)
    return Codec(centroids, codebook, map=mapping, spreads=clusters.spreads)


def _on_grid(matrix: np.ndarray) -> np.ndarray:
    """Return a matrix as float32 multiples of ``GRID``, so that the last bits of a LAPACK or BLAS make no difference."""
    return (np.rint(matrix / GRID) * GRID).astype(np.float32)


def _products(vectors: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return the matrix product in float32, summed in the same order on every processor."""
    found = np.zeros((len(vectors), matrix.shape[1]), np.float32)
    loops.add_products(np.ascontiguousarray(vectors, np.float32), matrix, found)
    return found
