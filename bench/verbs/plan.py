"""Print what a config will cost before it is run: vectors, bytes on disk, GPU hours, and what of it fits the disk here."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bench.codec.names import KNOWN, UNCOMPRESSED
from bench.config import estimate
from bench.config.estimate import Cost
from bench.config.plan import DATASETS, Plan, load
from bench.config.settings import Count, Positive
from bench.config.stages import stages, stops

GB = 1e9
JOBS = """Moved: what all jobs of a stage read and write. Memory: arrays and ids, no network or mapped files. Disk: inputs
and outputs of the largest job, where machines share none. Hours: of one GPU to encode, else of one core; –: not measured."""


def plan(
    config: Path,
    *,
    datasets: Path = DATASETS,
    vectors_per_second: Positive = estimate.VECTORS_PER_SECOND,
    disk: Path = Path(),
    jobs: bool = False,
    passages: Count | None = None,
) -> None:
    """Print what a config will cost before it is run: vectors, bytes on disk, GPU hours, and what of it fits the disk here.

    :param config: Config file.
    :param datasets: The evaluation protocol.
    :param vectors_per_second: Vectors that one GPU encodes; default: MS MARCO in 3 hours on four Titan V, arXiv 2004.12832.
    :param disk: Folder on the disk that is meant.
    :param jobs: Print the jobs of each stage as well: bytes moved, memory, disk and hours.
    :param passages: As if every collection had so many passages.
    """
    resolved = load(config, datasets)
    found = estimate.costs(resolved, estimate.read_lengths(), passages)
    free = shutil.disk_usage(disk).free
    largest = {codec: max(cost.indexes.get(codec, 0) for cost in found) for codec in KNOWN} if found else {}
    codecs = sorted((codec for codec, size in largest.items() if size), key=lambda codec: -largest[codec])
    rows = [_row(cost, codecs, vectors_per_second, free) for cost in found]
    shown = pd.DataFrame([*rows, _total(found, codecs, vectors_per_second, free)])
    print(shown.to_markdown(index=False, disable_numparse=True))
    print(f"\n{_explained(found, vectors_per_second, disk, free, resolved.keep_vectors)}")
    if jobs:
        print(f"\n{_jobs(resolved, found, vectors_per_second)}")


def _jobs(plan: Plan, found: Sequence[Cost], rate: float) -> str:
    """Return a table of the stages of each collection with its largest compressed codec, and what the design refuses."""
    rows, refused = [], []
    for cost in found:
        refused += [f"{cost.corpus} does not go through: {reason}" for reason in stops(cost, plan.passages_per_shard)]
        codec = max((name for name in cost.indexes if name != UNCOMPRESSED), key=cost.indexes.__getitem__, default=None)
        if codec is None:
            continue
        size, rounds = plan.passages_per_shard, plan.kmeans_iterations
        rows += [
            {
                "collection": cost.corpus,
                "stage": stage.rule,
                "jobs": f"{stage.jobs:,}",
                "moved, GB": _gb(stage.moved),
                "memory of a job, GB": _gb(stage.memory),
                "disk of a job, GB": _gb(stage.disk),
                "hours": _hours(stage.hours),
                "hours of the longest job": _hours(stage.longest),
            }
            for stage in stages(cost, codec, passages_per_shard=size, iterations=rounds, rate=rate)
        ]
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    return "\n".join([table, "", JOBS, *refused])


def _hours(hours: float | None) -> str:
    return "–" if hours is None else f"{hours:,.2f}"


def _row(cost: Cost, codecs: Sequence[str], rate: float, free: int) -> dict[str, str]:
    return {
        "collection": cost.corpus,
        "model": cost.model,
        "passages": f"{cost.passages:,}",
        "vectors / passage": f"{cost.length.vectors:.1f}",
        "vectors": f"{cost.vectors:,}",
        "shards, GB": _gb(cost.shards),
        **{f"{codec}, GB": _gb(cost.indexes.get(codec)) for codec in codecs},
        "peak, GB": _gb(cost.peak),
        "left with shards, GB": _gb(cost.left(True)),
        "left without, GB": _gb(cost.left(False)),
        "GPU hours": f"{cost.vectors / rate / 3600:.2f}",
        "fits here": "yes" if cost.peak <= free else "no",
    }


def _total(found: Sequence[Cost], codecs: Sequence[str], rate: float, free: int) -> dict[str, str]:
    """Sums, and the peaks of all collections one after the other."""
    vectors = sum(cost.vectors for cost in found)
    kept, dropped = (estimate.peaks(found, keep) for keep in (True, False))
    return {
        "collection": "all",
        "model": "",
        "passages": f"{sum({cost.corpus: cost.passages for cost in found}.values()):,}",
        "vectors / passage": "",
        "vectors": f"{vectors:,}",
        "shards, GB": _gb(sum(cost.shards for cost in found)),
        **{f"{codec}, GB": _gb(sum(cost.indexes.get(codec, 0) for cost in found)) for codec in codecs},
        "peak, GB": f"{_gb(kept)} with shards kept, {_gb(dropped)} without",
        "left with shards, GB": _gb(sum(cost.left(True) for cost in found)),
        "left without, GB": _gb(sum(cost.left(False) for cost in found)),
        "GPU hours": f"{vectors / rate / 3600:.2f}",
        "fits here": "yes" if kept <= free else "without shards" if dropped <= free else "no",
    }


def _gb(count: int | None) -> str:
    return "–" if count is None else f"{count / GB:,.2f}"


def _explained(found: Sequence[Cost], rate: float, disk: Path, free: int, keep: bool) -> str:
    """Where the numbers come from, and what is an assumption."""
    named: dict[str, dict[str, None]] = {}
    for cost in found:
        named.setdefault(cost.length.source, {})[cost.corpus] = None
    return "\n".join(
        [
            f"GB are 10^9 bytes; {free / GB:,.2f} GB are free in {disk.resolve()}. The config keeps shards: "
            f"{'yes' if keep else 'no'} (encode.keep_vectors).",
            "A peak is of shards, codes, residual parts and indexes of one collection, every codec at once; over all, the",
            "collections are taken one after the other. Texts and downloads come on top: bench fetch --dry-run lists these.",
            f"GPU hours: of encoding alone, at {rate:,.0f} vectors a second.",
            f"Vectors where words are known: {estimate.SPECIAL} + {estimate.VECTORS_PER_WORD:.3f} a word, which is the rate "
            "of MS MARCO, cut at doc_maxlen;",
            "lengths are assumed to be spread as a gamma distribution of shape 2. Lengths are from:",
            *(f"  {source}: {', '.join(corpora)}" for source, corpora in named.items()),
        ]
    )
