"""Measure how search time grows: the same presets over larger and larger mixtures of real passages."""

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench.codec.names import CodecName
from bench.config.presets import ColBERTv2Preset, PlaidPreset, Preset
from bench.config.settings import Count, Natural
from bench.errors import SettingsError
from bench.evaluation import growth as mixtures
from bench.evaluation import host
from bench.evaluation.latency import Repeats, measure, summary
from bench.files.provenance import context
from bench.files.storage import write_json
from bench.index import pipeline
from bench.index.index import Index, open_index
from bench.index.shards import open_shard, write_shard
from bench.machine.progress import bar
from bench.search.engines import open_engine
from bench.search.queries import open_query_vectors
from bench.search.stage_times import Watch
from bench.verbs.common import Threads, limit_threads

PRESETS: dict[str, Preset] = {
    "plaid, ndocs 1024": PlaidPreset(ncells=2, centroid_score_threshold=-1.0, ndocs=1024),
    "plaid, ndocs 4096": PlaidPreset(ncells=4, centroid_score_threshold=-1.0, ndocs=4096),
    "colbertv2": ColBERTv2Preset(nprobe=2, ncandidates=256),
}
DEPTH = 100


def growth(
    *,
    vectors: list[Path],
    queries: Path,
    sizes: list[Count],
    nbits: Count = 2,
    iterations: Count,
    seed: Natural,
    build_threads: Count,
    threads: Threads,
    work: Path,
    output: Path,
) -> None:
    """Measure how search time grows: the same presets over larger and larger mixtures of real passages.

    :param vectors: All shards of a real corpus, in order.
    :param queries: Folder of query vectors.
    :param sizes: Vectors of each mixture.
    :param nbits: Bits per dimension of a residual.
    :param iterations: Lloyd iterations.
    :param seed: Seed of the mixtures and of k-means.
    :param build_threads: Threads to build with.
    :param work: Empty or new folder for one mixture at a time.
    :param output: growth.json to write.
    """
    if work.exists() and any(work.iterdir()):
        raise SettingsError(f"--work {work} is not empty: its content would be deleted; name a new folder")
    shards = [open_shard(folder) for folder in vectors]
    asked = open_query_vectors(queries)
    codec = CodecName("residual", nbits)
    steps = {"codec": codec, "seed": seed, "iterations": iterations, "threads": build_threads, "work": work}
    rows = []
    with bar("growth", len(sizes), "sizes") as progress:
        for size in sorted(sizes):
            limit_threads(build_threads)
            for number, (some, doclens) in enumerate(mixtures.mixed(shards, size, seed=seed)):
                write_shard(work / f"{number:05d}", some, doclens)
            index, built = _built(work, steps)
            limit_threads(threads)
            rows.append(_row(index, built, asked.vectors, threads))
            shutil.rmtree(work)
            progress.update(1)
    settings = {"nbits": nbits, "iterations": iterations, "seed": seed, "threads": threads}
    presets = {name: preset.model_dump() for name, preset in PRESETS.items()}
    record: dict[str, Any] = {
        "settings": {**settings, "depth": DEPTH, "presets": presets},
        "inputs": {"queries": asked.manifest.digest, "shards": [shard.manifest.digest for shard in shards]},
        "sizes": rows,
        "host": host.record(),
        "context": context(__name__),
    }
    write_json(output, record)


def _built(work: Path, steps: dict[str, Any]) -> tuple[Index, dict[str, float]]:
    """The index of a mixture, and the seconds of its steps."""
    parts = [open_shard(folder) for folder in sorted(work.iterdir())]
    ids = [f"{number:09d}" for number in range(sum(len(part.doclens) for part in parts))]
    built = pipeline.build(work / "index", parts, ids, **steps)
    return open_index(work / "index"), built


def _row(index: Index, built: dict[str, float], queries: np.ndarray, threads: int) -> dict[str, Any]:
    """Search of one size by every preset."""
    found = {name: _search(index, preset, queries, threads) for name, preset in PRESETS.items()}
    bytes_used = sum(file["bytes"] for file in index.manifest.files.values())
    counts = dict(index.manifest.counts)
    p50 = {name: round(item["p50"], 2) for name, item in found.items()}
    print(
        f"{counts['vectors']} vectors, {counts['centroids']} centroids, built in {sum(built.values()):.0f} s: p50 {p50} ms"
    )
    return {"counts": counts, "build_s": built, "bytes_per_vector": bytes_used / counts["vectors"], "search": found}


def _search(index: Index, preset: Preset, queries: np.ndarray, threads: int) -> dict[str, Any]:
    engine = open_engine(preset, index, threads=threads)

    def search(query: int, watch: Watch) -> None:
        engine.search(queries[query : query + 1], DEPTH, watch)

    return summary(measure(search, len(queries), time.perf_counter, Repeats()))
