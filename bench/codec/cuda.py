"""Assignment on CUDA. See ``bench.codec.device`` for where that is refused."""

import numpy as np
import torch

from bench.codec.device import interpreted, moved, open_device
from bench.codec.nearest import code_dtype
from bench.errors import SettingsError

AT_ONCE = 1 << 20
VECTORS, DIMS = 128, 32
CENTROIDS = {"float32": 64, "bfloat16": 128}


def assign(vectors: np.ndarray, centroids: np.ndarray, *, device: str = "cuda", precision: str = "float32") -> np.ndarray:
    """Code ``[vectors]`` of each vector ``[vectors, dim]``: the centroid of the largest inner product, the lower of equals.

    Every product is computed. In float32, never TF32, a code differs from that of ``bench.codec.nearest.assign``, asked for
    all products, only where two products are equal up to rounding. With the precision bfloat16 vectors and centroids
    are rounded first, products and sums are not: that is faster, but of unit vectors either of two products may win that
    are less than 1 / 128 apart. Raises SettingsError for another precision, and for bfloat16 in Triton's interpreter.
    """
    if precision not in CENTROIDS:
        raise SettingsError(f"precision {precision!r} is not one of {sorted(CENTROIDS)}")
    where = open_device(device)
    if precision == "bfloat16" and interpreted():
        raise SettingsError(
            "Triton's interpreter takes the bits of bfloat16 for integers in products; use the precision float32"
        )
    from bench.codec import triton_loops

    dim = vectors.shape[1]
    chunks = -(-dim // DIMS)
    padded = np.pad(centroids.astype(np.float32), ((0, 0), (0, chunks * DIMS - dim)))
    right = moved(padded, where).to(getattr(torch, precision))
    codes = np.empty(len(vectors), code_dtype(len(centroids)))
    for start in range(0, len(vectors), AT_ONCE):
        left = moved(vectors[start : start + AT_ONCE], where)
        found = torch.empty(len(left), dtype=torch.int32, device=where)
        triton_loops.assign[(-(-len(left) // VECTORS),)](
            left,
            right,
            found,
            len(left),
            len(right),
            DIM=dim,
            DIMS=DIMS,
            CHUNKS=chunks,
            VECTORS=VECTORS,
            CENTROIDS=CENTROIDS[precision],
            num_warps=8,
            enable_fp_fusion=False,
        )
        codes[start : start + AT_ONCE] = found.cpu().numpy()
    return codes
