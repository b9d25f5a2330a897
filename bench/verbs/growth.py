"""Measure how search time grows: the same presets over larger and larger mixtures of real passages."""

import shutil
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.codec.names import CodecName
from bench.config.presets import ColBERTv2Preset, PlaidPreset, Preset
from bench.errors import SettingsError
from bench.evaluation import growth, host
from bench.evaluation.latency import Repeats, measure, summary
from bench.files.provenance import context
from bench.files.storage import write_json
from bench.index import pipeline
from bench.index.index import Index, open_index
from bench.index.shards import Shard, open_shard, write_shard
from bench.machine.progress import bar
from bench.search.queries import open_query_vectors
from bench.verbs import common

PRESETS: dict[str, Preset] = {
    "plaid, ndocs 1024": PlaidPreset(ncells=2, centroid_score_threshold=-1.0, ndocs=1024),
    "plaid, ndocs 4096": PlaidPreset(ncells=4, centroid_score_threshold=-1.0, ndocs=4096),
    "colbertv2": ColBERTv2Preset(nprobe=2, ncandidates=256),
}
DEPTH = 100


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--vectors", type=Path, nargs="+", required=True, help="all shards of a real corpus, in order")
    parser.add_argument("--queries", type=Path, required=True, help="folder of query vectors")
    parser.add_argument("--sizes", type=int, nargs="+", required=True, help="vectors of each mixture")
    parser.add_argument("--nbits", type=int, default=2, help="bits per dimension of a residual")
    parser.add_argument("--iterations", type=int, required=True, help="Lloyd iterations")
    parser.add_argument("--seed", type=int, required=True, help="seed of the mixtures and of k-means")
    parser.add_argument("--build-threads", type=int, required=True, help="threads to build with")
    common.add_threads(parser)
    parser.add_argument("--work", type=Path, required=True, help="empty or new folder for one mixture at a time")
    common.add_output(parser, "growth.json to write")


def run(args: Namespace) -> None:
    if args.work.exists() and any(args.work.iterdir()):
        raise SettingsError(f"--work {args.work} is not empty: its content would be deleted; name a new folder")
    shards = [open_shard(folder) for folder in args.vectors]
    queries = open_query_vectors(args.queries)
    rows = []
    with bar("growth", len(args.sizes), "sizes") as progress:
        for size in sorted(args.sizes):
            rows.append(_one(args, shards, queries.vectors, size))
            shutil.rmtree(args.work)
            progress.update(1)
    settings = {name: getattr(args, name) for name in ("nbits", "iterations", "seed", "threads")}
    record: dict[str, Any] = {
        "settings": {**settings, "depth": DEPTH, "presets": {name: preset.values() for name, preset in PRESETS.items()}},
        "inputs": {"queries": queries.manifest.digest, "shards": [shard.manifest.digest for shard in shards]},
        "sizes": rows,
        "host": host.record(),
        "context": context(__name__),
    }
    write_json(args.output, record)


def _one(args: Namespace, shards: Sequence[Shard], queries: np.ndarray, size: int) -> dict[str, Any]:
    """Mix, build and search one size."""
    common.limit_threads(args.build_threads)
    parts = []
    for number, (vectors, doclens) in enumerate(growth.mixed(shards, size, seed=args.seed)):
        write_shard(args.work / f"{number:05d}", vectors, doclens)
        parts.append(open_shard(args.work / f"{number:05d}"))
    ids = [f"{number:09d}" for number in range(sum(len(part.doclens) for part in parts))]
    steps = {
        "codec": CodecName("residual", args.nbits),
        "seed": args.seed,
        "iterations": args.iterations,
        "threads": args.build_threads,
    }
    built = pipeline.build(args.work / "index", parts, ids, **steps, work=args.work)
    index = open_index(args.work / "index")
    common.limit_threads(args.threads)
    found = {name: _search(index, preset, queries, args.threads) for name, preset in PRESETS.items()}
    bytes_used = sum(file["bytes"] for file in index.manifest.files.values())
    counts = dict(index.manifest.counts)
    p50 = {name: round(item["p50"], 2) for name, item in found.items()}
    print(
        f"{counts['vectors']} vectors, {counts['centroids']} centroids, built in {sum(built.values()):.0f} s: p50 {p50} ms"
    )
    return {"counts": counts, "build_s": built, "bytes_per_vector": bytes_used / counts["vectors"], "search": found}


def _search(index: Index, preset: Preset, queries: np.ndarray, threads: int) -> dict[str, Any]:
    engine = preset.open(index, threads=threads)
    run = lambda query, watch: engine.search(queries[query : query + 1], DEPTH, watch)  # noqa: E731
    return summary(measure(run, len(queries), time.perf_counter, Repeats()))
