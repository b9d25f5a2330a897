"""Triton kernels that score passages by their vectors. Sizes in capitals are known when a kernel is compiled.

Dimensions stand in SLOTS, a power of two: each byte of a residual has PART of them. Codebook, centroids and queries hold
zeros where the codec has no dimension. Uncompressed vectors have one dimension a byte. Query vectors stand side by side in
groups of LANES, zeros beyond their number.
"""

import triton
import triton.language as tl


@triton.jit
def decoded(
    vector: tl.tensor,
    first_byte: tl.tensor,
    vectors: tl.tensor,
    codes: tl.tensor,
    residuals: tl.tensor,
    centroids: tl.tensor,
    scales: tl.tensor,
    codebook: tl.tensor,
    gains: tl.tensor,
    spreads: tl.tensor,
    DIM: tl.constexpr,
    NUMBER: tl.constexpr,
    NBITS: tl.constexpr,
    GAINS: tl.constexpr,
    SPREADS: tl.constexpr,
    BYTES: tl.constexpr,
    PART: tl.constexpr,
    SLOTS: tl.constexpr,
) -> tl.tensor:
    """Return float32 ``[rows, BYTES * PART]``: the slots of BYTES bytes of the vectors at positions ``vector [rows]``.

    With NUMBER 0, ``vectors [., DIM]`` float16 are read. Otherwise a vector is its centroid plus its residual, not yet
    divided by its norm: centroids ``[centroids, SLOTS]`` int8 and their scales; codes; residuals ``[vectors, NUMBER]``, with
    GAINS a byte more, which says by which of ``gains [256]`` the residual is multiplied, with SPREADS by ``spreads
    [centroids]``. With NBITS, ``codebook [SLOTS, 2**NBITS]`` holds the weight of each bucket; without, ``codebook [bytes,
    256, PART]`` holds sub-vectors.
    """
    byte = first_byte + tl.arange(0, BYTES)
    part = tl.arange(0, PART)
    slot = byte[:, None] * PART + part[None, :]
    if NUMBER == 0:
        place = vector[:, None, None].to(tl.int64) * DIM + slot[None, :, :]
        found = tl.load(vectors + place, mask=(slot < DIM)[None, :, :], other=0.0).to(tl.float32)
    else:
        code = tl.load(codes + vector).to(tl.int32)
        place = vector[:, None].to(tl.int64) * (NUMBER + GAINS) + byte[None, :]
        entry = tl.load(residuals + place, mask=(byte < NUMBER)[None, :], other=0).to(tl.int32)
        if NBITS:
            bucket = (entry[:, :, None] >> (8 - NBITS * (part + 1))[None, None, :]) & ((1 << NBITS) - 1)
            found = tl.load(codebook + (slot << NBITS)[None, :, :] + bucket)
        else:
            entry = (byte[None, :] * 256 + entry) * PART
            found = tl.load(codebook + entry[:, :, None] + part[None, None, :])
        if GAINS:
            last = tl.load(residuals + vector.to(tl.int64) * (NUMBER + GAINS) + NUMBER).to(tl.int32)
            found *= tl.load(gains + last)[:, None, None]
        if SPREADS:
            found *= tl.load(spreads + code)[:, None, None]
        centre = tl.load(centroids + code[:, None, None].to(tl.int64) * SLOTS + slot[None, :, :])
        found = centre.to(tl.float32) * tl.load(scales + code)[:, None, None] + found
    return tl.reshape(found, [found.shape[0], BYTES * PART])


@triton.jit
def placed(column: tl.tensor, tile: tl.tensor, firsts: tl.tensor, lasts: tl.tensor) -> tl.tensor:
    """Return the positions of the vectors in the 128 columns of a tile, which has eight groups of sixteen vectors.

    firsts, lasts ``[groups]``: positions of a group's first and last vector; columns beyond the last repeat it. The columns
    of a group are those that one thread of a quad has in the accumulator of a product, so that its maximum costs no exchange
    between threads: column c belongs to group ``4 * (c // 64) + c // 2 % 4``.
    """
    group = tile * 8 + (column // 64) * 4 + (column // 2) % 4
    member = (column // 8) % 8 * 2 + column % 2
    return tl.minimum(tl.load(firsts + group) + member, tl.load(lasts + group))


@triton.jit
def decode(
    vectors: tl.tensor,
    codes: tl.tensor,
    residuals: tl.tensor,
    centroids: tl.tensor,
    scales: tl.tensor,
    codebook: tl.tensor,
    gains: tl.tensor,
    spreads: tl.tensor,
    firsts: tl.tensor,
    lasts: tl.tensor,
    out: tl.tensor,
    factor: tl.tensor,
    DIM: tl.constexpr,
    NUMBER: tl.constexpr,
    NBITS: tl.constexpr,
    GAINS: tl.constexpr,
    SPREADS: tl.constexpr,
    NORMALISED: tl.constexpr,
    PART: tl.constexpr,
    SLOTS: tl.constexpr,
    ROWS: tl.constexpr,
) -> None:
    """``out [tiles * 128, SLOTS]`` float16: decoded vectors in the order of ``placed``, ROWS a program.

    Those that are not NORMALISED are multiplied by ``factor``. For 2 bits and dim 128 a vector costs 36 bytes read, 128 of
    its centroid from the second-level cache and 256 written: 0.1 ns at 3 TB/s.
    """
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    vector = placed(row % 128, row // 128, firsts, lasts)
    found = decoded(
        vector, 0, vectors, codes, residuals, centroids, scales, codebook, gains, spreads,
        DIM, NUMBER, NBITS, GAINS, SPREADS, SLOTS // PART, PART, SLOTS,
    )  # fmt: skip
    if NORMALISED:
        found *= tl.rsqrt(tl.maximum(tl.sum(found * found, axis=1), 1e-30))[:, None]
    else:
        found *= factor
    place = row.to(tl.int64)[:, None] * SLOTS + tl.arange(0, SLOTS)[None, :]
    tl.store(out + place, found.to(tl.float16))


@triton.jit
def _later(left_begins: tl.tensor, left: tl.tensor, right_begins: tl.tensor, right: tl.tensor) -> tuple:
    """Combine two stretches of groups: the maximum since the last begin of a passage."""
    return left_begins | right_begins, tl.where(right_begins != 0, right, tl.maximum(left, right))


@triton.jit
def coarse(
    query: tl.tensor,
    stored: tl.tensor,
    vectors: tl.tensor,
    codes: tl.tensor,
    residuals: tl.tensor,
    centroids: tl.tensor,
    scales: tl.tensor,
    codebook: tl.tensor,
    gains: tl.tensor,
    spreads: tl.tensor,
    firsts: tl.tensor,
    lasts: tl.tensor,
    owners: tl.tensor,
    chunks: tl.tensor,
    out: tl.tensor,
    passages: tl.tensor,
    factor: tl.tensor,
    DIM: tl.constexpr,
    NUMBER: tl.constexpr,
    NBITS: tl.constexpr,
    GAINS: tl.constexpr,
    SPREADS: tl.constexpr,
    NORMALISED: tl.constexpr,
    PART: tl.constexpr,
    SLOTS: tl.constexpr,
    ROWS: tl.constexpr,
    LANES: tl.constexpr,
    FUSED: tl.constexpr,
) -> None:
    """``out [query groups, passages]`` float32: MaxSim in half precision, of ROWS query vectors and a chunk of passages.

    query ``[query vectors, SLOTS]`` float16; stored: what ``decode`` wrote, or nothing if FUSED, which decodes here;
    ``chunks [programs + 1]``: bounds of the tiles of a program, which hold whole passages; ``owners``: passage of each
    group, with one more before the first and after the last, -1 for a group without vectors.

    A vector costs 2 * SLOTS * ROWS operations on tensor cores a program, and one maximum for each of ROWS: with ROWS 128
    and dim 128, 41 ps at 800 TFLOP/s a GPU, or 20,000 queries/s of 32 vectors for 1.9 million vectors at 0.4 of that.
    """
    start = tl.load(chunks + tl.program_id(0))
    stop = tl.load(chunks + tl.program_id(0) + 1)
    row = tl.program_id(1) * ROWS + tl.arange(0, ROWS)
    slot = tl.arange(0, SLOTS)
    column = tl.arange(0, 128)
    number = tl.arange(0, 8)
    left = tl.load(query + row[:, None] * SLOTS + slot[None, :])
    asked = (tl.program_id(1) * (ROWS // LANES) + tl.arange(0, ROWS // LANES)).to(tl.int64)
    carried = tl.full([ROWS], float("-inf"), tl.float32)
    for tile in range(start, stop):
        if FUSED:
            found = decoded(
                placed(column, tile, firsts, lasts), 0,
                vectors, codes, residuals, centroids, scales, codebook, gains, spreads,
                DIM, NUMBER, NBITS, GAINS, SPREADS, SLOTS // PART, PART, SLOTS,
            )  # fmt: skip
            if NORMALISED:
                found *= tl.rsqrt(tl.maximum(tl.sum(found * found, axis=1), 1e-30))[:, None]
            else:
                found *= factor
            right = tl.trans(found.to(tl.float16))
        else:
            right = tl.load(stored + (tile * 128 + column).to(tl.int64)[None, :] * SLOTS + slot[:, None])
        products = tl.reshape(tl.dot(left, right), [ROWS, 2, 8, 4, 2])
        maxima = tl.reshape(tl.max(tl.max(products, axis=4), axis=2), [ROWS, 8])
        owner = tl.load(owners + 1 + tile * 8 + number)
        before = tl.load(owners + tile * 8 + number)
        after = tl.load(owners + 2 + tile * 8 + number)
        maxima = tl.where((number == 0)[None, :], tl.maximum(maxima, carried[:, None]), maxima)
        begins = tl.broadcast_to(((owner != before) & (number > 0)).to(tl.int32)[None, :], [ROWS, 8])
        _, best = tl.associative_scan((begins, maxima), 1, _later)
        total = tl.sum(tl.reshape(best, [ROWS // LANES, LANES, 8]), axis=1)
        ends = (owner != after) & (owner >= 0)
        tl.store(out + asked[:, None] * passages + owner[None, :], total, mask=ends[None, :])
        ongoing = (number == 7) & (owner == after)
        carried = tl.max(tl.where(ongoing[None, :], best, float("-inf")), axis=1)


@triton.jit
def maxsim(
    query: tl.tensor,
    vectors: tl.tensor,
    codes: tl.tensor,
    residuals: tl.tensor,
    centroids: tl.tensor,
    scales: tl.tensor,
    codebook: tl.tensor,
    gains: tl.tensor,
    spreads: tl.tensor,
    offsets: tl.tensor,
    ranks: tl.tensor,
    passages: tl.tensor,
    probed: tl.tensor,
    keys: tl.tensor,
    entries: tl.tensor,
    count: tl.tensor,
    groups: tl.tensor,
    DIM: tl.constexpr,
    NUMBER: tl.constexpr,
    NBITS: tl.constexpr,
    GAINS: tl.constexpr,
    SPREADS: tl.constexpr,
    NORMALISED: tl.constexpr,
    PART: tl.constexpr,
    SLOTS: tl.constexpr,
    SIZE: tl.constexpr,
    PROBED: tl.constexpr,
    BLOCK: tl.constexpr,
    VECTORS: tl.constexpr,
    LANES: tl.constexpr,
) -> None:
    """``keys [queries, entries]`` int64: MaxSim over decoded vectors in float32 as keys (``key``), ``NONE`` for none.

    query ``[queries * groups, SLOTS, LANES]`` float32; ``passages [queries, entries]`` int32, negative for none; ``offsets``
    of passages; ``ranks [passages]``. With PROBED only vectors count whose centroid is in ``probed [queries, count]``. A
    program takes BLOCK entries of a query, VECTORS vectors and SIZE slots at a time.

    For 2 bits, dim 128 and 32 query vectors, a vector costs 2 * 128 * 33 operations in float32: 140 ps at 60 TFLOP/s.
    """
    asked = tl.program_id(1).to(tl.int64)
    lane = tl.arange(0, LANES)
    for entry in range(tl.program_id(0) * BLOCK, tl.minimum(tl.program_id(0) * BLOCK + BLOCK, entries)):
        passage = tl.load(passages + asked * entries + entry)
        found = tl.full([], -9223372036854775808, tl.int64)
        if passage >= 0:
            start = tl.load(offsets + passage)
            stop = tl.load(offsets + passage + 1)
            total = 0.0
            for group in range(groups):
                best = tl.full([VECTORS, LANES], float("-inf"), tl.float32)
                for first in range(start, stop, VECTORS):
                    vector = first + tl.arange(0, VECTORS)
                    there = vector < stop
                    vector = tl.minimum(vector, stop - 1)
                    if PROBED:
                        code = tl.load(codes + vector).to(tl.int32)
                        there = there & (tl.load(probed + asked * count + code) != 0)
                    if tl.max(there.to(tl.int32), axis=0) > 0:
                        squares = tl.zeros([VECTORS], tl.float32)
                        products = tl.zeros([VECTORS, LANES], tl.float32)
                        for chunk in tl.static_range(SLOTS // SIZE):
                            value = decoded(
                                vector, chunk * (SIZE // PART),
                                vectors, codes, residuals, centroids, scales, codebook, gains, spreads,
                                DIM, NUMBER, NBITS, GAINS, SPREADS, SIZE // PART, PART, SLOTS,
                            )  # fmt: skip
                            squares += tl.sum(value * value, axis=1)
                            slot = chunk * SIZE + tl.arange(0, SIZE)
                            right = tl.load(
                                query + ((asked * groups + group) * SLOTS + slot[:, None]) * LANES + lane[None, :]
                            )
                            products = tl.dot(value, right, products, input_precision="ieee")
                        if NORMALISED:
                            least = 1.1754943508222875e-38
                            products = products * tl.div_rn(1.0, tl.maximum(tl.sqrt_rn(squares), least))[:, None]
                        best = tl.where(there[:, None], tl.maximum(best, products), best)
                total += tl.sum(tl.max(best, axis=0))
            if total > float("-inf"):
                found = key(ordered(total), tl.load(ranks + passage))
        tl.store(keys + asked * entries + entry, found)


@triton.jit
def ordered(score: tl.tensor) -> tl.tensor:
    """Return an int32 whose order is that of float32 scores; 0 and -0 are one score."""
    bits = (score + 0.0).to(tl.int32, bitcast=True)
    return bits ^ ((bits >> 31) & 0x7FFFFFFF)


@triton.jit
def key(score: tl.tensor, rank: tl.tensor) -> tl.tensor:
    """Return an int64 of an int32 score and the rank of an id: the larger of two is the better passage, never equal."""
    return score.to(tl.int64) * 4294967296 + (2147483647 - rank)
