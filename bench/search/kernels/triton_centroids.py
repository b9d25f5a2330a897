"""Triton kernels of the stages before vectors are decoded. Sizes in capitals are known when a kernel is compiled.

Query vectors stand side by side in groups of LANES, zeros beyond their number; dimensions stand in SLOTS, a power of two.
Passages of a query are entries ``[queries, entries]`` int32, negative where there is none.
"""

import triton
import triton.language as tl

from bench.search.kernels.triton_vectors import key

HALVES_TO_EVEN = tl.constexpr(12582912.0)  # 1.5 * 2**23: a float32 plus this has no bits left behind the point
ROWS = tl.constexpr(64)  # centroids of a block


@triton.jit(do_not_specialize=["count"])
def similarities(
    centroids: tl.tensor,
    factors: tl.tensor,
    steps: tl.tensor,
    query: tl.tensor,
    lanes: tl.tensor,
    fixed: tl.tensor,
    fixed8: tl.tensor,
    highest: tl.tensor,
    blocks: tl.tensor,
    count: tl.tensor,
    groups: tl.tensor,
    SLOTS: tl.constexpr,
    SIZE: tl.constexpr,
    LANES: tl.constexpr,
) -> None:
    """Similarity of every centroid to every query vector of a group, a block of centroids a program, SIZE slots at a time.

    centroids ``[count, SLOTS]`` int8; query ``[groups, LANES, SLOTS]`` int16; factors ``[count]`` times steps ``[groups]``
    float32: from a sum of products to fixed point. Fills fixed ``[groups, count, LANES]`` int16; fixed8, its high bytes
    rounded; highest ``[groups, count]`` int16, the maximum over the ``lanes [queries]`` of a query; blocks ``[groups,
    blocks, LANES]`` int16, the maximum over the centroids of a block. Sums are exact: high and low bytes of the query are
    multiplied apart. Must be launched without fusing a product and a sum, which would round ``fixed`` once instead of twice.

    A centroid costs SLOTS + 4 bytes read and 3 * LANES + 2 written: 230 for dim 128 and 32 lanes, 0.07 ns at 3.3 TB/s, so
    18 us for 262,144; its 4 * SLOTS * LANES operations on bytes take a tenth of that on tensor cores.
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
    factor = tl.load(factors + row, mask=real, other=0.0) * tl.load(steps + group)
    found = (high * 256 + low).to(tl.float32) * factor[:, None]
    rounded = ((found + HALVES_TO_EVEN) - HALVES_TO_EVEN).to(tl.int32)
    place = (group * count + row[:, None]) * LANES + lane[None, :]
    tl.store(fixed + place, rounded.to(tl.int16), mask=real[:, None])
    tl.store(fixed8 + place, ((rounded + 128) >> 8).to(tl.int8), mask=real[:, None])
    asked = (group % groups) * LANES + lane < tl.load(lanes + group // groups)
    reached = tl.max(tl.where(asked[None, :], rounded, -32768), axis=1)
    tl.store(highest + group * count + row, reached.to(tl.int16), mask=real)
    most = tl.max(tl.where(real[:, None], rounded, -32768), axis=0)
    tl.store(blocks + (group * tl.num_programs(0) + tl.program_id(0)) * LANES + lane, most.to(tl.int16))


@triton.jit(do_not_specialize=["count", "number"])
def nearest(
    fixed: tl.tensor,
    blocks: tl.tensor,
    lanes: tl.tensor,
    probed: tl.tensor,
    count: tl.tensor,
    number: tl.tensor,
    groups: tl.tensor,
    NPROBE: tl.constexpr,
    BLOCKS: tl.constexpr,
    LANES: tl.constexpr,
    WIDE: tl.constexpr,
) -> None:
    """``probed [groups, LANES, NPROBE]`` int32: the nearest centroids of query vectors, the lower of equals; -1 for padding.

    A program takes WIDE query vectors. ``blocks`` (``number`` of them) says which block has the next one, and that block is
    looked at: 2 * number + 128 * NPROBE bytes a query vector. lanes ``[queries]``: the number of query vectors.
    """
    group = tl.program_id(0).to(tl.int64)
    lane = tl.program_id(1) * WIDE + tl.arange(0, WIDE)
    block = tl.arange(0, BLOCKS)
    row = tl.arange(0, ROWS)
    real = (group % groups) * LANES + lane < tl.load(lanes + group // groups)
    if tl.max(real.to(tl.int32), axis=0) == 0:
        for probe in range(NPROBE):
            tl.store(probed + (group * LANES + lane) * NPROBE + probe, tl.full([WIDE], -1, tl.int32))
    else:
        there = (block < number)[:, None]
        most = tl.load(blocks + (group * number + block[:, None]) * LANES + lane[None, :], mask=there, other=0).to(tl.int32)
        most = tl.where(there, most * BLOCKS + (BLOCKS - 1 - block)[:, None], -2147483648)
        last = tl.full([WIDE], 9223372036854775807, tl.int64)
        for probe in range(NPROBE):
            chosen = BLOCKS - 1 - (tl.max(most, axis=0) & (BLOCKS - 1))
            centroid = chosen[None, :] * ROWS + row[:, None]
            value = tl.load(fixed + (group * count + centroid) * LANES + lane[None, :], mask=centroid < count, other=0)
            keys = value.to(tl.int64) * 4294967296 + (4294967295 - centroid.to(tl.int64))
            keys = tl.where((centroid < count) & (keys < last[None, :]), keys, -9223372036854775808)
            last = tl.max(keys, axis=0)
            following = tl.max(tl.where(keys < last[None, :], keys, -9223372036854775808), axis=0)
            rest = (following >> 32) * BLOCKS + (BLOCKS - 1 - chosen)
            rest = tl.where(following == -9223372036854775808, -2147483648, rest).to(tl.int32)
            most = tl.where(block[:, None] == chosen[None, :], rest[None, :], most)
            found = tl.where(real, 4294967295 - (last & 4294967295), -1)
            tl.store(probed + (group * LANES + lane) * NPROBE + probe, found.to(tl.int32))


@triton.jit
def mark(
    lists: tl.tensor,
    offsets: tl.tensor,
    probed: tl.tensor,
    seen: tl.tensor,
    number: tl.tensor,
    passages: tl.tensor,
    SPLIT: tl.constexpr,
    ENTRIES: tl.constexpr,
) -> None:
    """Write its own number to ``seen [queries, passages]`` for every passage in the lists of ``probed [queries, number]``.

    SPLIT programs a list; an entry of a list is 4 bytes read and 4 written.
    """
    asked = tl.program_id(1).to(tl.int64)
    centroid = tl.load(probed + asked * number + tl.program_id(0) // SPLIT)
    if centroid >= 0:
        start = tl.load(offsets + centroid)
        stop = tl.load(offsets + centroid + 1)
        for first in range(start + tl.program_id(0) % SPLIT * ENTRIES, stop, SPLIT * ENTRIES):
            place = first + tl.arange(0, ENTRIES)
            passage = tl.load(lists + place, mask=place < stop, other=0)
            tl.store(seen + asked * passages + passage, passage, mask=place < stop)


@triton.jit(do_not_specialize=["count", "entries"])
def interaction(
    fixed8: tl.tensor,
    highest: tl.tensor,
    least: tl.tensor,
    lanes: tl.tensor,
    codes: tl.tensor,
    offsets: tl.tensor,
    ranks: tl.tensor,
    passages: tl.tensor,
    keys: tl.tensor,
    count: tl.tensor,
    entries: tl.tensor,
    groups: tl.tensor,
    BLOCK: tl.constexpr,
    VECTORS: tl.constexpr,
    LANES: tl.constexpr,
) -> None:
    """``keys [queries, entries]`` int64: sums of maxima of ``fixed8`` over the centroids of each passage, as keys.

    Only centroids count whose ``highest [queries, count]`` fixed point to a query vector is at least ``least [queries]``;
    lanes ``[queries]``: the number of query vectors. A program takes BLOCK entries of a query. A vector costs its code, 2
    bytes of ``highest`` and, where its centroid counts, LANES bytes of ``fixed8`` and LANES maxima; of these only the code
    comes from memory as long as the others fit in the second-level cache (262,144 centroids and 32 lanes: 0.5 + 8 MiB). With
    4 bytes a code, memory of 3.3 TB/s sets a floor of 1.2 ps a vector, and a cache of 5 TB/s one of 7 ps where nothing is
    pruned.

    Masked loads of bytes give 0 and the right value is selected afterwards: of a narrow constant that is negative only one
    lane of four holds the constant (triton-lang/triton pull request 4597).
    """
    asked = tl.program_id(1).to(tl.int64)
    lane = tl.arange(0, LANES)
    bar = tl.load(least + asked)
    number = tl.load(lanes + asked)
    for entry in range(tl.program_id(0) * BLOCK, tl.minimum(tl.program_id(0) * BLOCK + BLOCK, entries)):
        passage = tl.load(passages + asked * entries + entry)
        found = tl.full([], -9223372036854775808, tl.int64)
        if passage >= 0:
            start = tl.load(offsets + passage)
            stop = tl.load(offsets + passage + 1)
            total = 0
            for group in range(groups):
                best = tl.full([VECTORS, LANES], -128, tl.int32)
                for first in range(start, stop, VECTORS):
                    vector = first + tl.arange(0, VECTORS)
                    there = vector < stop
                    code = tl.load(codes + vector, mask=there, other=0).to(tl.int32)
                    kept = there & (tl.load(highest + asked * count + code, mask=there, other=0) >= bar)
                    place = ((asked * groups + group) * count + code[:, None]) * LANES + lane[None, :]
                    value = tl.load(fixed8 + place, mask=kept[:, None], other=0).to(tl.int32)
                    best = tl.maximum(best, tl.where(kept[:, None], value, -128))
                maxima = tl.max(best, axis=0)
                total += tl.sum(tl.where(group * LANES + lane < number, maxima, 0))
            found = key(total, tl.load(ranks + passage))
        tl.store(keys + asked * entries + entry, found)
