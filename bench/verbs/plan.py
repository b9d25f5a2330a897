"""Print what a config will cost before it is run: vectors, bytes on disk, hours and memory of a GPU, and what fits here."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bench.codec.names import UNCOMPRESSED
from bench.config import estimate, gpu_hours, pools, rates
from bench.config.datasets import slug
from bench.config.estimate import Cost
from bench.config.gpu_hours import Device, Task
from bench.config.plan import DATASETS, Plan, load
from bench.config.settings import Count
from bench.config.stages import stages, stops
from bench.search.kernels.device_limits import MOST_QUERIES, SHARE

GB = 1e9
MERGED = "With a pool factor, lengths are divided by it and rounded down; its peak has the shards that are merged as well."
NOTHING, UNKNOWN, AT_LEAST = "–", "unknown", "≥ "
JOBS = """Moved: what all jobs of a stage read and write. Memory: arrays and ids, no network or mapped files. Disk: inputs
and outputs of the largest job, where machines share none. Hours: of the GPU to encode, else of one core; –: not measured."""


def plan(
    config: Path,
    *,
    datasets: Path = DATASETS,
    card: str = "h100",
    measured: Path = rates.RATES,
    disk: Path = Path(),
    jobs: bool = False,
    passages: Count | None = None,
) -> None:
    """Print what a config will cost before it is run: vectors, bytes on disk, hours and memory of a GPU, and what fits here.

    :param config: Config file.
    :param datasets: The evaluation protocol.
    :param card: Name of the GPU in the file of rates.
    :param measured: File of the rates of GPUs, by stage.
    :param disk: Folder on the disk that is meant.
    :param jobs: Print the jobs of each stage as well: bytes moved, memory, disk and hours.
    :param passages: As if every collection had so many passages.
    """
    resolved = load(config, datasets)
    known = rates.read(measured)
    device = Device(card=known.card(card, str(measured)), networks=known.networks, share=SHARE, at_once=MOST_QUERIES)
    found = estimate.costs(resolved, estimate.read_lengths(), passages)
    free = shutil.disk_usage(disk).free
    sizes = {codec: max(cost.indexes.get(codec, 0) for cost in found) for each in found for codec in each.indexes}
    codecs = sorted(sizes, key=lambda codec: (-sizes[codec], codec))
    _show([*(_row(cost, codecs, free) for cost in found), _total(found, codecs, free)])
    print(f"\n{_explained(found, disk, free, resolved.keep_vectors)}")
    tasks = list(gpu_hours.tasks(resolved, found, device))
    print(f"\nHours of {device.card.name}:\n")
    _show(_hours(tasks))
    print(f"\n{_measured(tasks, device, measured)}")
    print(f"\nMemory of {device.card.name}, {_gb(int(device.card.memory))} GB, of which an index may take {SHARE:.0%}:\n")
    _show(_memory(resolved, found, device))
    if jobs:
        print()
        _show(_jobs(resolved, found, device))
        print(f"\n{JOBS}")
        print(*(line for cost in found for line in _refused(cost, resolved.passages_per_shard)), sep="\n")


def _show(rows: Sequence[dict[str, str]]) -> None:
    print(pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True))


def _row(cost: Cost, codecs: Sequence[str], free: int) -> dict[str, str]:
    return {
        "collection": cost.corpus,
        "model": _model(cost),
        "passages": f"{cost.passages:,}",
        "vectors / passage": f"{cost.per_passage:.1f}",
        "vectors": f"{cost.vectors:,}",
        "shards, GB": _gb(cost.shards),
        **{f"{codec}, GB": _gb(cost.indexes.get(codec)) for codec in codecs},
        "peak, GB": _gb(cost.peak),
        "left with shards, GB": _gb(cost.left(True)),
        "left without, GB": _gb(cost.left(False)),
        "fits here": "yes" if cost.peak <= free else "no",
    }


def _model(cost: Cost) -> str:
    return pools.label(pools.named(cost.model, cost.pool))


def _total(found: Sequence[Cost], codecs: Sequence[str], free: int) -> dict[str, str]:
    """Sums, and the peaks of all collections one after the other."""
    kept, dropped = (estimate.peaks(found, keep) for keep in (True, False))
    return {
        "collection": "all",
        "model": "",
        "passages": f"{sum({cost.corpus: cost.passages for cost in found}.values()):,}",
        "vectors / passage": "",
        "vectors": f"{sum(cost.vectors for cost in found):,}",
        "shards, GB": _gb(sum(cost.shards for cost in found)),
        **{f"{codec}, GB": _gb(sum(cost.indexes.get(codec, 0) for cost in found)) for codec in codecs},
        "peak, GB": f"{_gb(kept)} with shards kept, {_gb(dropped)} without",
        "left with shards, GB": _gb(sum(cost.left(True) for cost in found)),
        "left without, GB": _gb(sum(cost.left(False) for cost in found)),
        "fits here": "yes" if kept <= free else "without shards" if dropped <= free else "no",
    }


def _gb(count: int | None) -> str:
    return NOTHING if count is None else f"{count / GB:,.2f}"


def _explained(found: Sequence[Cost], disk: Path, free: int, keep: bool) -> str:
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
            f"Vectors where words are known: {estimate.SPECIAL} + {estimate.VECTORS_PER_WORD:.3f} a word, which is the rate "
            "of MS MARCO, cut at doc_maxlen;",
            "lengths are assumed to be spread as a gamma distribution of shape 2. Lengths are from:",
            *(f"  {source}: {', '.join(corpora)}" for source, corpora in named.items()),
            *([MERGED] if any(cost.pool != pools.NONE for cost in found) else []),
        ]
    )


def _hours(tasks: Sequence[Task]) -> list[dict[str, str]]:
    """A row for each collection and model, and for each training, and their sums; a column for each stage."""
    stages = [stage for stage in rates.STAGES if any(task.stage == stage for task in tasks)]
    rows = {(task.corpus, task.model): None for task in tasks}
    found = []
    for corpus, model in [*rows, ("all", "")]:
        own = [task for task in tasks if corpus == "all" or (task.corpus, task.model) == (corpus, model)]
        parts: dict[str, str] = {stage: _sum([task for task in own if task.stage == stage]) for stage in stages}
        known = [task for task in own if task.hours is not None]
        found.append({"collection": corpus or "training", "model": model, **parts, "known": _sum(known)})
    return found


def _sum(tasks: Sequence[Task]) -> str:
    hours = [task.hours for task in tasks if task.hours is not None]
    if not tasks:
        return NOTHING
    if len(hours) < len(tasks):
        return UNKNOWN if not hours else f"{sum(hours):.3f} + {UNKNOWN}"
    return f"{AT_LEAST if any(task.beyond for task in tasks) else ''}{sum(hours):.3f}"


def _measured(tasks: Sequence[Task], device: Device, measured: Path) -> str:
    """Where each rate is from, what it lacks, and what was not measured."""
    used: list[rates.Stage] = [stage for stage in rates.STAGES if any(task.stage == stage for task in tasks)]
    if "exact" in used:
        used += ["decode", "copy"]
    unread = {task.model for task in tasks if task.hours is None and device.card.rates[task.stage].per_second is not None}
    return "\n".join(
        [
            f"Rates are from {measured.name}. {UNKNOWN}: not measured on this card, and in no sum.",
            f"{AT_LEAST.strip()}: the rate was measured over fewer vectors. Hours of a network are by its weights.",
            "Encoding counts no token whose vector is dropped; training counts every text as long as it may be.",
            "The start of jobs is not counted.",
            *(f"  {stage}: {gpu_hours.described(device.card.rates[stage])}" for stage in used),
            *(f"  {model}: the size of its network is not known to {measured.name}" for model in sorted(unread)),
        ]
    )


def _memory(resolved: Plan, found: Sequence[Cost], device: Device) -> list[dict[str, str]]:
    """A row for each index: its bytes on the card, and whether it stays there."""
    rows = []
    for cost in found:
        for codec in cost.indexes:
            size = gpu_hours.stored(cost, codec)
            searched = slug(cost.corpus), cost.model, (codec, cost.pool)
            engines = {
                resolved.presets[run.preset].engine
                for run in resolved.runs
                if (run.corpus, run.model, pools.split(run.codec)) == searched
            }
            pass_hours = device.hours("copy", size)
            seconds = UNKNOWN if pass_hours is None else f"{3600 * pass_hours:.1f} s"
            streamed = f"streamed, {seconds} a pass of up to {device.at_once} queries"
            refused = f"; too large for {', '.join(sorted(engines - {'exact'}))}" if engines - {"exact"} else ""
            rows.append(
                {
                    "collection": cost.corpus,
                    "model": _model(cost),
                    "codec": codec,
                    "GB": _gb(size),
                    "on the card": "whole" if device.holds(size) else streamed + refused,
                }
            )
    return rows


def _jobs(plan: Plan, found: Sequence[Cost], device: Device) -> list[dict[str, str]]:
    """A row for each stage of each collection and model, with the compressed codec that takes most bytes."""
    rows = []
    for cost in found:
        codec = max((name for name in cost.indexes if name != UNCOMPRESSED), key=cost.indexes.__getitem__, default=None)
        if codec is None:
            continue
        encoding = device.reading("encode", cost.vectors, gpu_hours.weights_of(plan.models, cost.model))
        size, rounds = plan.passages_per_shard, plan.kmeans_iterations
        rows += [
            {
                "collection": cost.corpus,
                "model": _model(cost),
                "stage": stage.rule,
                "jobs": f"{stage.jobs:,}",
                "moved, GB": _gb(stage.moved),
                "memory of a job, GB": _gb(stage.memory),
                "disk of a job, GB": _gb(stage.disk),
                "hours": NOTHING if stage.hours is None else f"{stage.hours:,.2f}",
                "hours of the longest job": NOTHING if stage.longest is None else f"{stage.longest:,.2f}",
            }
            for stage in stages(cost, codec, passages_per_shard=size, iterations=rounds, encoding=encoding)
        ]
    return rows


def _refused(cost: Cost, passages_per_shard: int) -> list[str]:
    return [f"{cost.corpus} does not go through: {reason}" for reason in stops(cost, passages_per_shard)]
