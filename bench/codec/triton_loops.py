"""Triton kernels of the codec: the nearest centroid, and buckets packed to bytes.

Blocks of threads are called programs, and sizes in capitals are known when a kernel is compiled.
"""

import triton
import triton.language as tl


@triton.jit(do_not_specialize=["number", "count"])
def assign(
    vectors: tl.tensor,
    centroids: tl.tensor,
    codes: tl.tensor,
    number: tl.tensor,
    count: tl.tensor,
    DIM: tl.constexpr,
    DIMS: tl.constexpr,
    CHUNKS: tl.constexpr,
    VECTORS: tl.constexpr,
    CENTROIDS: tl.constexpr,
) -> None:
    """``codes [number]`` int32: the centroid of the largest inner product, the lower of equals.

    vectors ``[number, DIM]``; centroids ``[count, CHUNKS * DIMS]``, zeros beyond DIM, in the type that is multiplied; sums
    are float32. One program takes VECTORS vectors against all centroids, CENTROIDS at a time, so that no product is written.

    A vector costs 2 * DIM * count operations, and a share of 1 / VECTORS of all centroids from the second-level cache. For
    262,144 centroids of dim 128 and VECTORS 128, the floor is 1.1 us for arithmetic at 60 TFLOP/s and 0.2 us for the cache
    at 5 TB/s in float32, 0.07 us at 1,000 TFLOP/s and 0.1 us in bfloat16.
    """
    row = tl.program_id(0).to(tl.int64) * VECTORS + tl.arange(0, VECTORS)
    best = tl.full([VECTORS], float("-inf"), tl.float32)
    code = tl.zeros([VECTORS], tl.int32)
    for first in range(0, count, CENTROIDS):
        column = first + tl.arange(0, CENTROIDS)
        products = tl.zeros([VECTORS, CENTROIDS], tl.float32)
        for chunk in range(CHUNKS):
            dim = chunk * DIMS + tl.arange(0, DIMS)
            there = (row < number)[:, None] & (dim < DIM)[None, :]
            left = tl.load(vectors + row[:, None] * DIM + dim[None, :], mask=there, other=0.0)
            place = column[:, None].to(tl.int64) * (CHUNKS * DIMS) + dim[None, :]
            right = tl.load(centroids + place, mask=(column < count)[:, None], other=0.0)
            products = tl.dot(left.to(right.dtype), tl.trans(right), products, input_precision="ieee")
        products = tl.where((column < count)[None, :], products, float("-inf"))
        value, place = tl.max(products, axis=1, return_indices=True, return_indices_tie_break_left=True)
        better = value > best
        best = tl.where(better, value, best)
        code = tl.where(better, first + place, code)
    tl.store(codes + row, code, mask=row < number)


@triton.jit(do_not_specialize=["number"])
def quantize(
    vectors: tl.tensor,
    centroids: tl.tensor,
    codes: tl.tensor,
    cutoffs: tl.tensor,
    out: tl.tensor,
    number: tl.tensor,
    BYTES: tl.constexpr,
    PADDED: tl.constexpr,
    NBITS: tl.constexpr,
    VECTORS: tl.constexpr,
) -> None:
    """``out [number, BYTES]`` uint8: the packed buckets of vectors ``[number, dim]`` minus their centroids, in float32.

    cutoffs ``[2**NBITS - 1]``, ascending. A bucket is the number of cutoffs below the residual, found by bisection: NBITS
    comparisons. PADDED is the power of two from BYTES on. A vector costs its dimensions, its code, a centroid and its bytes:
    for float16, 2 bits and dim 128 some 800 bytes, and so 0.25 ns at 3.3 TB/s.
    """
    PART: tl.constexpr = 8 // NBITS
    row = tl.program_id(0).to(tl.int64) * VECTORS + tl.arange(0, VECTORS)
    byte = tl.arange(0, PADDED)
    place = tl.arange(0, PART)
    there = (row < number)[:, None] & (byte < BYTES)[None, :]
    code = tl.load(codes + row, mask=row < number, other=0).to(tl.int64)
    dim = byte[:, None] * PART + place[None, :]
    vector = tl.load(vectors + row[:, None, None] * (BYTES * PART) + dim[None, :, :], mask=there[:, :, None], other=0.0).to(
        tl.float32
    )
    centroid = tl.load(centroids + code[:, None, None] * (BYTES * PART) + dim[None, :, :], mask=there[:, :, None], other=0.0)
    residual = vector - centroid
    bucket = tl.zeros([VECTORS, PADDED, PART], tl.int32)
    for step in tl.static_range(NBITS):
        half = 1 << (NBITS - 1 - step)
        bucket += tl.where(residual > tl.load(cutoffs + bucket + (half - 1)), half, 0)
    packed = tl.sum(bucket << (8 - NBITS * (place + 1))[None, None, :], axis=2)
    tl.store(out + row[:, None] * BYTES + byte[None, :], packed.to(tl.uint8), mask=there)
