"""Measure how search time grows: the same presets over larger and larger mixtures of real passages."""

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.codec.names import CodecName, parse
from bench.config.presets import ColBERTv2Preset, ExactPreset, GroupedPreset, PlaidPreset, Preset
from bench.config.settings import Count, Natural
from bench.errors import SettingsError
from bench.evaluation import growth as mixtures
from bench.evaluation import host
from bench.evaluation.latency import Repeats, measure, summary
from bench.evaluation.overlap import overlap
from bench.evaluation.runs import Rankings
from bench.files.provenance import context
from bench.files.storage import write_json
from bench.index import pipeline
from bench.index.index import Index, open_index
from bench.index.shards import Shard, open_shard, write_shard
from bench.machine.progress import bar
from bench.search.engines import open_engine
from bench.search.queries import open_query_vectors
from bench.search.ranking import Ranking
from bench.search.stage_times import Watch
from bench.verbs.common import Threads, limit_threads

DEPTH = 100
CENTROIDS_OF_A_GROUP = 32


def presets(centroids: int) -> dict[str, Preset]:
    """The searches that are measured, for an index with so many centroids."""
    groups = max(1, centroids // CENTROIDS_OF_A_GROUP)
    values: dict[str, Any] = {"groups": groups, "ngroups": min(16, groups), "margin": 0.15}
    return {
        "colbertv2": ColBERTv2Preset(nprobe=2, ncandidates=256),
        "plaid, ncells 2, ndocs 1024": PlaidPreset(ncells=2, centroid_score_threshold=-1.0, ndocs=1024),
        "plaid, ncells 4, ndocs 4096": PlaidPreset(ncells=4, centroid_score_threshold=-1.0, ndocs=4096),
        "plaid, ncells 8, ndocs 1024": PlaidPreset(ncells=8, centroid_score_threshold=-1.0, ndocs=1024),
        "grouped, nlists 48, nscored 512": GroupedPreset(nlists=48, nscored=512, **values),
        "grouped, nlists 96, nscored 512": GroupedPreset(nlists=96, nscored=512, **values),
    }


def growth(
    *,
    vectors: list[Path],
    queries: Path,
    sizes: list[Count],
    codecs: list[str],
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
    :param codecs: Codecs that compress each mixture, such as residual-2 or opq-16x4t.
    :param iterations: Lloyd iterations.
    :param seed: Seed of the mixtures and of k-means.
    :param build_threads: Threads to build with, and to search exhaustively.
    :param work: Empty or new folder for one mixture at a time.
    :param output: growth.json to write.
    """
    named = [_compressing(name) for name in codecs]
    if work.exists() and any(work.iterdir()):
        raise SettingsError(f"--work {work} is not empty: its content would be deleted; name a new folder")
    shards = [open_shard(folder) for folder in vectors]
    asked = open_query_vectors(queries)
    steps = {"seed": seed, "iterations": iterations, "threads": build_threads}
    rows = []
    with bar("growth", len(sizes) * len(named), "indexes") as progress:
        for size in sorted(sizes):
            parts = _mixture(shards, size, seed, work / "vectors")
            for codec in named:
                limit_threads(build_threads)
                index, built = _built(parts, work / str(codec), codec, steps)
                exact = open_engine(ExactPreset(), index, threads=build_threads).search(asked.vectors, DEPTH)
                limit_threads(threads)
                rows.append({"codec": str(codec), **_row(index, built, asked.vectors, exact, threads)})
                shutil.rmtree(work / str(codec))
                progress.update(1)
            shutil.rmtree(work)
    settings = {"codecs": codecs, "iterations": iterations, "seed": seed, "threads": threads}
    record: dict[str, Any] = {
        "settings": {**settings, "depth": DEPTH},
        "inputs": {"queries": asked.manifest.digest, "shards": [shard.manifest.digest for shard in shards]},
        "indexes": rows,
        "host": host.record(),
        "context": context(__name__),
    }
    write_json(output, record)


def _compressing(name: str) -> CodecName:
    if (codec := parse(name, "--codecs")) is None:
        raise SettingsError(f"--codecs {name} has no lists to search; name codecs that compress")
    return codec


def _mixture(shards: Sequence[Shard], size: int, seed: int, folder: Path) -> list[Shard]:
    for number, part in enumerate(mixtures.mixed(shards, size, seed=seed)):
        write_shard(folder / f"{number:05d}", part.vectors, part.doclens, tokens=part.tokens)
    parts = [open_shard(each) for each in sorted(folder.iterdir())]
    if (passages := sum(len(part.doclens) for part in parts)) < DEPTH:
        raise SettingsError(f"{size} of --sizes are {passages} passages, fewer than a ranking of {DEPTH}: ask for more")
    return parts


def _built(
    parts: Sequence[Shard], folder: Path, codec: CodecName, steps: Mapping[str, Any]
) -> tuple[Index, dict[str, float]]:
    """The index of a mixture, and the seconds of its steps."""
    ids = [f"{number:09d}" for number in range(sum(len(part.doclens) for part in parts))]
    built = pipeline.build(folder / "index", parts, ids, codec=codec, work=folder, **steps)
    return open_index(folder / "index"), built


def _row(index: Index, built: dict[str, float], queries: np.ndarray, exact: list[Ranking], threads: int) -> dict[str, Any]:
    """Search of one index by every preset."""
    counts = dict(index.manifest.counts)
    searched = presets(counts["centroids"])
    found = {name: _search(index, preset, queries, exact, threads) for name, preset in searched.items()}
    bytes_used = sum(file["bytes"] for file in index.manifest.files.values())
    times = ", ".join(f"{name}: {item['p50']:.2f} ms, overlap {item['overlap']:.3f}" for name, item in found.items())
    print(f"{counts['vectors']} vectors, {counts['centroids']} centroids, built in {sum(built.values()):.0f} s; {times}")
    return {"counts": counts, "build_s": built, "bytes_per_vector": bytes_used / counts["vectors"], "search": found}


def _search(index: Index, preset: Preset, queries: np.ndarray, exact: list[Ranking], threads: int) -> dict[str, Any]:
    """Times of one query at a time, and the overlap with exact search over the same codes, the mean over queries."""
    engine = open_engine(preset, index, threads=threads)

    def search(query: int, watch: Watch) -> None:
        engine.search(queries[query : query + 1], DEPTH, watch)

    times = summary(measure(search, len(queries), time.perf_counter, Repeats()))
    shares = overlap(_rankings(engine.search(queries, DEPTH)), _rankings(exact), DEPTH)
    return {"preset": preset.model_dump(), **times, "overlap": float(np.mean(list(shares.values())))}


def _rankings(found: list[Ranking]) -> Rankings:
    return {
        str(query): [(str(passage), score) for passage, score in zip(ranking.passages, ranking.scores, strict=True)]
        for query, ranking in enumerate(found)
    }
