"""Assignment and k-means on CUDA. See ``bench.codec.device`` for where that is refused."""

import numpy as np
import torch

from bench.codec import kmeans
from bench.codec.device import moved, open_device
from bench.codec.int8_centroids import rounded
from bench.codec.kmeans import POINTS, Clusters, points_per_centroid
from bench.codec.nearest import code_dtype
from bench.codec.vectors import Vectors
from bench.errors import SettingsError

AT_ONCE = 1 << 22
SUMMED_DIMS = 32  # dimensions that are sorted by centroid at a time
TILES = {"float16": (128, 64), "float32": (64, 32)}  # vectors and centroids
SLOTS_OF_STAGES = 256  # up to which two tiles of centroids fit beside each other


def assign(vectors: Vectors, centroids: np.ndarray, *, device: str = "cuda", precision: str = "float16") -> np.ndarray:
    """Return the code ``[vectors]`` of each vector ``[vectors, dim]``: the centroid of the largest inner product.

    Every product is computed, and of equal products the lower id wins. With the precision float16, vectors and centroids are
    rounded first, products and sums are not: of unit vectors either of two products may win that are less than 1 / 1000
    apart. In float32, never TF32, a code differs from that of ``bench.codec.nearest.assign``, asked for all products, only
    where two products are equal up to rounding. Raise SettingsError for another precision.
    """
    if precision not in TILES:
        raise SettingsError(f"precision {precision!r} is not one of {sorted(TILES)}")
    where = open_device(device)
    right = _padded(moved(centroids.astype(np.float32), where), precision)
    codes = np.empty(len(vectors), code_dtype(len(centroids)))
    for start in range(0, len(vectors), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        codes[some] = _assigned(moved(vectors[some], where), right, len(centroids))[0].cpu().numpy()
    return codes


def clusters(sample: Vectors, centroids: int, *, seed: int, iterations: int, device: str = "cuda") -> Clusters:
    """Run the k-means of ``bench.codec.kmeans.clusters`` on a device, with the same points in each iteration.

    Products are of float16 and every product is computed, where the CPU skips most of them; sums are float32, in one order
    on each device. Centroids are not to the bit those of the CPU.
    """
    where = open_device(device)
    order = np.random.default_rng(seed).permutation(len(sample))[: POINTS * centroids]
    points = moved(sample[order].astype(np.float16), where)  # in the order of the draw, so that iterations take stretches
    if _distinct(points[: 2 * centroids]) <= centroids:
        return kmeans.clusters(sample, centroids, seed=seed, iterations=iterations)
    found = torch.nn.functional.normalize(points[:centroids].float(), dim=1)
    spreads = np.ones(centroids, np.float16)
    for iteration in range(iterations):
        some = points[: centroids * points_per_centroid(iteration)]
        codes, closeness = _assigned(some, _padded(found, "float16"), centroids)
        sums, counts = _sums(some, codes, centroids)
        spreads = kmeans.spreads(sums.cpu().numpy(), counts.cpu().numpy())
        found = torch.nn.functional.normalize(sums, dim=1)
        empty = torch.nonzero((counts == 0) | ~sums.any(dim=1)).squeeze(1)
        farthest = closeness.argsort(stable=True)[: len(empty)]
        found[empty] = torch.nn.functional.normalize(some[farthest].float(), dim=1)
    return Clusters(rounded(found.cpu().numpy()), spreads)


def _padded(centroids: torch.Tensor, precision: str) -> torch.Tensor:
    """Return centroids ``[., slots]`` of the precision, zeros up to a power of two and to a whole number of tiles."""
    count, dim = centroids.shape
    slots = max(16, 1 << (dim - 1).bit_length())
    rows = -count % TILES[precision][1]
    return torch.nn.functional.pad(centroids, (0, slots - dim, 0, rows)).to(getattr(torch, precision))


def _assigned(vectors: torch.Tensor, centroids: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the code ``[vectors]`` int32 of each vector among ``count`` padded centroids, and the inner product."""
    from bench.codec import triton_loops

    codes = torch.empty(len(vectors), dtype=torch.int32, device=vectors.device)
    closeness = torch.empty(len(vectors), dtype=torch.float32, device=vectors.device)
    slots = centroids.shape[1]
    rows, columns = TILES["float16" if centroids.dtype == torch.float16 else "float32"]
    rows = max(16, min(rows, rows * SLOTS_OF_STAGES // slots))
    if len(vectors):
        triton_loops.assign[(-(-len(vectors) // rows),)](
            vectors,
            centroids,
            codes,
            closeness,
            len(vectors),
            count,
            DIM=vectors.shape[1],
            SLOTS=slots,
            VECTORS=rows,
            CENTROIDS=columns,
            num_warps=4,
            num_stages=2 if slots <= SLOTS_OF_STAGES else 1,
            enable_fp_fusion=True,
        )
    return codes, closeness


def _sums(points: torch.Tensor, codes: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the sum ``[count, dim]`` float32 of the points of each code, added in their order, and their numbers."""
    counts = torch.bincount(codes, minlength=count)
    order = torch.argsort(codes, stable=True)
    parts = []
    for start in range(0, points.shape[1], SUMMED_DIMS):
        some = points[:, start : start + SUMMED_DIMS][order].float()
        parts.append(torch.segment_reduce(some, "sum", lengths=counts, axis=0, initial=0.0))
    return torch.cat(parts, dim=1), counts


def _distinct(points: torch.Tensor) -> int:
    """Return the number of distinct rows of float16, or fewer if two have the same hash."""
    words = points.contiguous().view(torch.int16).long()
    factors = torch.randint(1, 1 << 40, (words.shape[1],), generator=torch.Generator().manual_seed(0)) * 2 + 1
    return len(torch.unique((words * factors.to(words.device)).sum(dim=1)))
