"""What the jobs of each stage of a plan will take: bytes moved, memory, disk and hours, and where the design stops.

Everything is arithmetic over ``bench.config.estimate.Cost``. Memory counts the arrays and lists that a job holds at once,
neither the network nor pages of mapped files, which the system takes back. Hours are of one GPU for encoding, else of one
core.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bench.codec.kmeans import HELDOUT_MOST, HELDOUT_SHARE, number_of_centroids, points_of_iterations, sample_size
from bench.codec.names import CodecName, parse
from bench.config import pools
from bench.config.data import MOST_SHARDS
from bench.config.estimate import ID_BYTES, SPECIAL, VECTORS_PER_WORD, Cost
from bench.errors import SettingsError

BYTES_PER_WORD = 6  # of an English text, a space included
RECORD_BYTES = 30  # of a passage in passages.jsonl and offsets.npy beside its text
IDS_READ, IDS_RANKED = 90, 140  # bytes of memory a passage: ids as read, and while they are ranked; measured on 2 million
# Seconds of one core for a vector of dim 128, in k-means for each iteration: CPU time of a build of 1,662,538 vectors with
# 16,384 centroids and residual-2, SCALE_DIM=128 SCALE_PASSAGES=25000 SCALE_THREADS=1 pytest tests/index/test_scale.py -s.
BUILT, CLUSTERED = 1_662_538, 1_966_080
SECONDS = {"centroids": 26.49 / CLUSTERED, "assign": 39.41 / BUILT, "compress": 1.83 / BUILT, "index": 3.15 / BUILT}
WIDTH = 128
MOST_PASSAGES = 2**31 - 1  # in an expanded inverted list


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Jobs of one rule. In bytes: moved, what all jobs read and write; memory and disk of the largest job, disk being what a
    machine holds that shares none. hours: of all jobs; longest: of the longest one; None where nothing was measured.
    """

    rule: str
    jobs: int
    moved: int
    memory: int
    disk: int
    hours: float | None = None

    @property
    def longest(self) -> float | None:
        return None if self.hours is None else self.hours / self.jobs


def stages(cost: Cost, codec: str, *, passages_per_shard: int, iterations: int, encoding: float | None) -> list[Stage]:
    """Return the stages from texts to one searched index of a compressed codec; encoding: its hours, None if unknown.
    Those over merged vectors begin at the stored shards.

    Raise SettingsError for uncompressed vectors.
    """
    name = parse(codec, "an estimate")
    if name is None:
        raise SettingsError(f"codec {codec} has no stages of compression; name a compressed one")
    return list(_stages(cost, name, passages_per_shard, iterations, encoding))


def _stages(
    cost: Cost, name: CodecName, passages_per_shard: int, iterations: int, encoding: float | None
) -> Iterator[Stage]:
    jobs = math.ceil(cost.passages / passages_per_shard)
    share = min(1.0, passages_per_shard / cost.passages)  # of the collection in the largest shard
    words = max(0.0, cost.length.vectors - SPECIAL) / VECTORS_PER_WORD
    text = round(cost.passages * (RECORD_BYTES + BYTES_PER_WORD * words))
    vectors, dim, centroids = cost.vectors, cost.dim, number_of_centroids(cost.vectors, name.times)
    sample = round(sample_size(cost.passages) * cost.per_passage)
    table, heldout = centroids * dim * 4, min(HELDOUT_MOST, round(HELDOUT_SHARE * sample)) * dim * 2
    found = table + heldout
    codec = centroids * (dim + name.centroid_bytes) + 256 * dim * 4
    points = points_of_iterations(sample, centroids, iterations)
    codes, parts, index = cost.codes, vectors * name.bytes(dim), cost.indexes[str(name)]

    def stage(rule: str, count: int, read: float, written: float, memory: float, seconds: float | None) -> Stage:
        """read and written: bytes of the largest job; seconds: of all jobs."""
        disk, moved = round(read + written), round(count * (read + written))
        return Stage(
            rule=rule,
            jobs=count,
            moved=moved,
            memory=round(memory),
            disk=disk,
            hours=None if seconds is None else seconds / 3600,
        )

    def core(rule: str, count: int) -> float:
        return SECONDS[rule] * count * dim / WIDTH

    made = share * cost.shards
    if cost.pool == pools.NONE:
        yield stage("corpus", 1, 0, text, IDS_READ * cost.passages, None)
        yield stage("encode", jobs, text, made, made, None if encoding is None else 3600 * encoding)
    else:
        yield stage("merge", jobs, share * cost.merged_from, made, 2 * made, None)  # parts, and all of them in one array
    # Positions of the sample and the order in which it is taken; means and their sums beside the centroids.
    held = 3 * 8 * sample + 5 * table
    yield stage("centroids", 1, cost.shards, found, held, core("centroids", points))
    part = share * (cost.shards + codes)
    yield stage("assign", jobs, found + share * cost.shards, share * codes, 2 * table, core("assign", vectors))
    yield stage("compress", jobs, part + codec, share * parts, table, core("compress", vectors))
    ids = (IDS_READ + 2 * ID_BYTES + 2 * 4) * cost.passages  # the ids, as a list and as the text that is written; lengths
    lists = 3 * 8 * centroids + table + share * codes
    read = text + 4 * cost.passages + codes + parts + codec
    yield stage("index", 1, read, index, ids + lists, core("index", vectors))
    yield stage("search", 1, index, 0, (IDS_RANKED + 8) * cost.passages, None)


def stops(cost: Cost, passages_per_shard: int) -> list[str]:
    """Return what the design refuses of a collection, a line each; none where it goes through."""
    found = []
    if (count := math.ceil(cost.passages / passages_per_shard)) > MOST_SHARDS:
        least = math.ceil(cost.passages / MOST_SHARDS)
        found.append(f"{count:,} shards, most are {MOST_SHARDS}: encode.passages_per_shard of {least:,} or more is needed")
    if cost.passages > MOST_PASSAGES:
        found.append(f"{cost.passages:,} passages, most are {MOST_PASSAGES:,}: positions are int32 in an inverted list")
    return found
