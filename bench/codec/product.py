"""Product quantization of residuals.

The dimensions are split into as many parts as there are bytes. Each part has 256 sub-vectors of its own, found by k-means
(Jégou et al., Product quantization for nearest neighbor search, 2011). A k-means codebook adapts to the joint distribution
of its dimensions, whereas scalar buckets assume that dimensions are independent. If the parts differ in variance or are
correlated, a rotation first balances them. For a normal distribution the best rotation is known (Ge et al., Optimized
product quantization, 2013, section 3.3, "eigenvalue allocation"). A rotation costs one product per query. On residuals this
rotation leaves 8 to 17 % less squared error than alternating optimization from a random rotation (section 3.2, as in FAISS),
and alternating optimization does not improve it further (docs/journal-codecs.md).
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bench.codec import loops
from bench.codec.vectors import blocks

ENTRIES = 256
POINTS, ITERATIONS = 32_768, 8
BLOCK = 4096


def fit(residuals: np.ndarray, number_of_bytes: int, seed: int, *, threads: int = 1) -> np.ndarray:
    """Return a codebook ``[bytes, 256, dim / bytes]`` float32 from the first ``POINTS`` residuals ``[heldout, dim]``
    float32.

    Fewer than 256 residuals are repeated until there are 256. The number of threads does not change the result.
    """
    points = _enough(residuals, POINTS)
    return _k_means(points, _first(points, number_of_bytes, seed), ITERATIONS, threads)


def rotation(residuals: np.ndarray, number_of_bytes: int) -> np.ndarray:
    """Return the orthogonal ``[dim, dim]`` float32 of OPQ, by which residuals ``[heldout, dim]`` are multiplied from the
    left.

    The principal axes are allocated in descending order of variance. Each axis goes to the byte whose axes have the smallest
    product of variances so far, among the bytes that have room.
    """
    points = _enough(residuals, POINTS)
    variances, axes = np.linalg.eigh(np.cov(points, rowvar=False))
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(len(axes))])  # LAPACKs differ in the sign of an axis
    widths = np.log(np.maximum(variances, np.finfo(np.float32).tiny))
    widths -= widths.min()
    room = len(axes) // number_of_bytes
    dealt: list[list[int]] = [[] for _ in range(number_of_bytes)]
    for axis in reversed(range(len(axes))):  # variances ascend
        min((byte for byte in dealt if len(byte) < room), key=lambda byte: widths[byte].sum()).append(axis)
    return np.ascontiguousarray(axes[:, np.concatenate(dealt)], np.float32)


def assign(residuals: np.ndarray, codebook: np.ndarray, *, threads: int = 1) -> np.ndarray:
    """Return bytes ``[vectors, bytes]`` uint8: the nearest sub-vectors of residuals ``[vectors, dim]`` float32."""
    found = np.empty((len(residuals), len(codebook)), np.uint8)
    centre, same = np.zeros((1, residuals.shape[1]), np.float32), np.zeros(len(residuals), np.uint8)
    compared = np.empty(0, np.float32), *tables(codebook)

    def each(some: slice) -> None:
        loops.nearest_parts(np.ascontiguousarray(residuals[some], np.float32), centre, same[some], *compared, found[some])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(each, blocks(len(residuals), BLOCK)))
    return found


def tables(codebook: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the arrays that ``loops.nearest_parts`` needs from a codebook ``[bytes, 256, dim / bytes]``."""
    turned = np.ascontiguousarray(codebook.transpose(0, 2, 1), np.float32)
    return turned, np.ascontiguousarray(-0.5 * np.square(codebook.astype(np.float64)).sum(axis=2), np.float32)


def decoded(codes: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """Return residuals ``[vectors, dim]`` from bytes ``[vectors, bytes]``."""
    return codebook[np.arange(len(codebook)), codes].reshape(len(codes), -1)


def _k_means(points: np.ndarray, codebook: np.ndarray, iterations: int, threads: int) -> np.ndarray:
    """Run Lloyd's iterations for every part, from a codebook ``[bytes, 256, dim / bytes]``."""
    for _ in range(iterations):
        codes = assign(points, codebook, threads=threads)
        sums, counts = np.zeros(codebook.shape), np.zeros(codebook.shape[:2], np.int64)
        loops.add_up_parts(points, codes, sums, counts)
        found = np.where(counts[..., None], sums / np.maximum(counts, 1)[..., None], codebook).astype(np.float32)
        for byte in np.flatnonzero((counts == 0).any(axis=1)):
            _refill(_parts(points, len(codebook))[:, byte], codes[:, byte], codebook[byte], counts[byte], found[byte])
        codebook = found
    return codebook


def _refill(points: np.ndarray, codes: np.ndarray, before: np.ndarray, counts: np.ndarray, found: np.ndarray) -> None:
    """Move sub-vectors ``found [256, .]`` without points to the points that are farthest from their own sub-vector."""
    empty = np.flatnonzero(counts == 0)
    distances = np.square(points - before[codes]).sum(axis=1)
    found[empty] = points[np.argsort(-distances, kind="stable")[: len(empty)]]


def _first(points: np.ndarray, number_of_bytes: int, seed: int) -> np.ndarray:
    """Return a codebook of randomly drawn points."""
    rows = np.random.default_rng(seed).choice(len(points), ENTRIES, replace=False)
    return np.ascontiguousarray(_parts(points[rows], number_of_bytes).transpose(1, 0, 2))


def _parts(vectors: np.ndarray, number_of_bytes: int) -> np.ndarray:
    """Return vectors ``[vectors, dim]`` as ``[vectors, bytes, dim / bytes]``."""
    return vectors.reshape(len(vectors), number_of_bytes, -1)


def _enough(residuals: np.ndarray, most: int) -> np.ndarray:
    some = np.ascontiguousarray(residuals[:most], np.float32)
    return np.resize(some, (ENTRIES, some.shape[1])) if len(some) < ENTRIES else some
