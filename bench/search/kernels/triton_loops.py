"""Triton kernels of search. Blocks of threads are called programs, and sizes in capitals are known when one is compiled.

Query vectors stand side by side in groups of LANES, zeros beyond their number. Dimensions stand in SLOTS: each byte of a
residual has PART of them, a power of two, and CHUNKS times BYTES bytes are counted; codebook, centroids and query hold zeros
where the codec has no dimension, so that no kernel asks. The vectors of a passage are ``starts`` to ``stops``.
"""

import triton
import triton.language as tl

HALVES_TO_EVEN = tl.constexpr(12582912.0)  # 1.5 * 2**23: a float32 plus this has no bits left behind the point


@triton.jit(do_not_specialize=["count"])
def similarities(
    centroids: tl.tensor,
    factors: tl.tensor,
    query: tl.tensor,
    fixed: tl.tensor,
    fixed8: tl.tensor,
    count: tl.tensor,
    SLOTS: tl.constexpr,
    SIZE: tl.constexpr,
    ROWS: tl.constexpr,
    LANES: tl.constexpr,
) -> None:
    """Similarity of every centroid to every query vector, ROWS centroids a program, SIZE slots at a time.

    centroids ``[count, SLOTS]`` int8; query ``[groups, LANES, SLOTS]`` int16; factors ``[count]`` float32: from a sum of
    products to fixed point. Fills fixed ``[groups, count, LANES]`` int16 and fixed8, its high bytes rounded. Sums are exact:
    high and low bytes of the query are multiplied apart. Must be launched without fusing a product and a sum, which would
    round ``fixed`` once instead of twice.

    A centroid costs SLOTS + 4 bytes read and 3 * LANES written: 228 for dim 128 and 32 lanes, 0.07 ns at 3.3 TB/s, so 18 us
    for 262,144; its 4 * SLOTS * LANES operations on bytes take a tenth of that on tensor cores.
    """
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    lane = tl.arange(0, LANES)
    group = tl.program_id(1).to(tl.int64)
    real = row < count
    high = tl.zeros([ROWS, LANES], tl.int32)
    low = tl.zeros([ROWS, LANES], tl.int32)
    for first in tl.static_range(0, SLOTS, SIZE):
        slot = first + tl.arange(0, SIZE)
        left = tl.load(centroids + row[:, None].to(tl.int64) * SLOTS + slot[None, :], mask=real[:, None], other=0)
        right = tl.load(query + (group * LANES + lane[:, None]) * SLOTS + slot[None, :]).to(tl.int32)
        rest = ((right + 128) & 255) - 128
        high = tl.dot(left, tl.trans(((right - rest) >> 8).to(tl.int8)), high, out_dtype=tl.int32)
        low = tl.dot(left, tl.trans(rest.to(tl.int8)), low, out_dtype=tl.int32)
    factor = tl.load(factors + row, mask=real, other=0.0)
    found = (high * 256 + low).to(tl.float32) * factor[:, None]
    rounded = ((found + HALVES_TO_EVEN) - HALVES_TO_EVEN).to(tl.int32)
    place = (group * count + row[:, None]) * LANES + lane[None, :]
    tl.store(fixed + place, rounded.to(tl.int16), mask=real[:, None])
    tl.store(fixed8 + place, ((rounded + 128) >> 8).to(tl.int8), mask=real[:, None])


@triton.jit
def mark(
    lists: tl.tensor, offsets: tl.tensor, centroids: tl.tensor, seen: tl.tensor, SPLIT: tl.constexpr, ENTRIES: tl.constexpr
) -> None:
    """Set ``seen [passages]`` to 1 for every passage in the lists of the given centroids, SPLIT programs a list."""
    centroid = tl.load(centroids + tl.program_id(0))
    start = tl.load(offsets + centroid)
    stop = tl.load(offsets + centroid + 1)
    for first in range(start + tl.program_id(1) * ENTRIES, stop, SPLIT * ENTRIES):
        place = first + tl.arange(0, ENTRIES)
        passage = tl.load(lists + place, mask=place < stop, other=0)
        tl.store(seen + passage, 1, mask=place < stop)


@triton.jit
def pick(
    codes: tl.tensor,
    probed: tl.tensor,
    starts: tl.tensor,
    stops: tl.tensor,
    firsts: tl.tensor,
    picked: tl.tensor,
    ends: tl.tensor,
    VECTORS: tl.constexpr,
) -> None:
    """Write the positions of those vectors of each passage that lie in a probed list to ``picked``, from ``firsts`` on.

    probed ``[centroids]`` 0 or 1; ``ends [passages]``: where they end. A program a passage. A code read is 1 to 4 bytes, a
    vector kept 8 written.
    """
    passage = tl.program_id(0)
    start = tl.load(starts + passage)
    stop = tl.load(stops + passage)
    end = tl.load(firsts + passage)
    for first in range(start, stop, VECTORS):
        vector = first + tl.arange(0, VECTORS)
        code = tl.load(codes + vector, mask=vector < stop, other=0).to(tl.int32)
        met = tl.load(probed + code, mask=vector < stop, other=0).to(tl.int32)
        tl.store(picked + end + tl.cumsum(met) - met, vector, mask=met != 0)
        end += tl.sum(met)
    tl.store(ends + passage, end)


@triton.jit(do_not_specialize=["threshold", "count", "passages", "lanes"])
def interaction(
    fixed8: tl.tensor,
    highest: tl.tensor,
    threshold: tl.tensor,
    codes: tl.tensor,
    starts: tl.tensor,
    stops: tl.tensor,
    out: tl.tensor,
    count: tl.tensor,
    passages: tl.tensor,
    lanes: tl.tensor,
    VECTORS: tl.constexpr,
    LANES: tl.constexpr,
) -> None:
    """``out [groups, passages]`` int32: sums of maxima of ``fixed8`` over the centroids of each passage.

    Only centroids count whose ``highest [count]`` fixed point to a query vector is at least ``threshold``. A program a
    passage and group. A vector costs its code, 2 bytes of ``highest`` and, where its centroid counts, LANES bytes of
    ``fixed8`` and LANES maxima; of these only the code comes from memory as long as the others fit in the second-level cache
    (262,144 centroids and 32 lanes: 0.5 + 8 MiB). With 4 bytes a code, memory of 3.3 TB/s sets a floor of 1.2 ps a vector,
    and a cache of 5 TB/s one of 7 ps where nothing is pruned.
    """
    passage = tl.program_id(0)
    lane = tl.arange(0, LANES)
    group = tl.program_id(1).to(tl.int64)
    start = tl.load(starts + passage)
    stop = tl.load(stops + passage)
    best = tl.full([VECTORS, LANES], -128, tl.int8)
    for first in range(start, stop, VECTORS):
        vector = first + tl.arange(0, VECTORS)
        there = vector < stop
        code = tl.load(codes + vector, mask=there, other=0).to(tl.int32)
        kept = there & (tl.load(highest + code, mask=there, other=0) >= threshold)
        place = (group * count + code[:, None]) * LANES + lane[None, :]
        best = tl.maximum(best, tl.load(fixed8 + place, mask=kept[:, None], other=-128))
    maxima = tl.max(best.to(tl.int32), axis=0)
    total = tl.sum(tl.where(group * LANES + lane < lanes, maxima, 0))
    tl.store(out + group * passages + passage, total)


@triton.jit(do_not_specialize=["passages", "lanes"])
def maxsim(
    query: tl.tensor,
    centroids: tl.tensor,
    scales: tl.tensor,
    codebook: tl.tensor,
    codes: tl.tensor,
    residuals: tl.tensor,
    gains: tl.tensor,
    spreads: tl.tensor,
    picked: tl.tensor,
    starts: tl.tensor,
    stops: tl.tensor,
    out: tl.tensor,
    passages: tl.tensor,
    lanes: tl.tensor,
    NUMBER: tl.constexpr,
    GAINS: tl.constexpr,
    SPREADS: tl.constexpr,
    NORMALISED: tl.constexpr,
    BYTES: tl.constexpr,
    PART: tl.constexpr,
    CHUNKS: tl.constexpr,
    PICKED: tl.constexpr,
    VECTORS: tl.constexpr,
    LANES: tl.constexpr,
) -> None:
    """``out [groups, passages]`` float32: MaxSim over decoded vectors, -inf for a passage without any.

    query ``[groups, SLOTS, LANES]`` float32; centroids ``[centroids, SLOTS]`` int8 and their scales; codebook
    ``[CHUNKS * BYTES, 256, PART]`` float32; residuals ``[vectors, NUMBER]``, with GAINS a byte more, which says by which of
    ``gains [256]`` the sub-vectors are multiplied, with SPREADS by ``spreads [centroids]``. With PICKED, ``starts`` and
    ``stops`` are places in ``picked``, which holds positions of vectors; otherwise they are positions. A program a passage
    and group, VECTORS vectors at a time.

    Nothing decoded is written. For 2 bits, dim 128 and 32 query vectors, a vector costs 32 + 4 bytes of memory, 128 bytes of
    centroid (from the second-level cache as long as centroids fit there: 32 MiB for 262,144), 512 bytes of codebook (128 KiB
    in all, from the first-level cache), and 2 * 128 * 33 operations in float32. At 3.3 TB/s and 60 TFLOP/s the floor is
    11 ps for memory and 140 ps for arithmetic, so it is arithmetic that counts.
    """
    SLOTS: tl.constexpr = CHUNKS * BYTES * PART
    SIZE: tl.constexpr = BYTES * PART
    passage = tl.program_id(0)
    lane = tl.arange(0, LANES)
    part = tl.arange(0, PART)
    group = tl.program_id(1).to(tl.int64)
    start = tl.load(starts + passage)
    stop = tl.load(stops + passage)
    best = tl.full([VECTORS, LANES], float("-inf"), tl.float32)
    for first in range(start, stop, VECTORS):
        vector = first + tl.arange(0, VECTORS)
        there = vector < stop
        if PICKED:
            vector = tl.load(picked + vector, mask=there, other=0)
        code = tl.load(codes + vector, mask=there, other=0).to(tl.int32)
        scale = tl.load(scales + code, mask=there, other=0.0)
        if GAINS:
            last = tl.load(residuals + vector * (NUMBER + GAINS) + NUMBER, mask=there, other=0).to(tl.int32)
            gain = tl.load(gains + last)
        if SPREADS:
            spread = tl.load(spreads + code, mask=there, other=0.0)
        squares = tl.zeros([VECTORS], tl.float32)
        products = tl.zeros([VECTORS, LANES], tl.float32)
        for chunk in tl.static_range(CHUNKS):
            byte = chunk * BYTES + tl.arange(0, BYTES)
            entry = tl.load(
                residuals + vector[:, None] * (NUMBER + GAINS) + byte[None, :],
                mask=there[:, None] & (byte < NUMBER)[None, :],
                other=0,
            ).to(tl.int32)
            entry = (byte[None, :] * 256 + entry) * PART
            residual = tl.load(codebook + entry[:, :, None] + part[None, None, :])
            if GAINS:
                residual *= gain[:, None, None]
            if SPREADS:
                residual *= spread[:, None, None]
            slot = byte[:, None] * PART + part[None, :]
            centre = tl.load(centroids + code[:, None, None] * SLOTS + slot[None, :, :])
            value = tl.reshape(centre.to(tl.float32) * scale[:, None, None] + residual, [VECTORS, SIZE])
            squares += tl.sum(value * value, axis=1)
            slot = chunk * SIZE + tl.arange(0, SIZE)
            right = tl.load(query + (group * SLOTS + slot[:, None]) * LANES + lane[None, :])
            products = tl.dot(value, right, products, input_precision="ieee")
        if NORMALISED:
            inverse = tl.div_rn(1.0, tl.maximum(tl.sqrt_rn(squares), 1.1754943508222875e-38))
            products = products * inverse[:, None]
        best = tl.where(there[:, None], tl.maximum(best, products), best)
    total = tl.sum(tl.where(group * LANES + lane < lanes, tl.max(best, axis=0), 0.0))
    tl.store(out + group * passages + passage, total)
