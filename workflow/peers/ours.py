"""
Measure ours over given token vectors, by the protocol of the peers: the paper's codec, and with it exact search over the
float vectors; or, with --codec, another codec of ours.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measure import DEPTH, Corpus, Peer, Setting, main

from bench.codec.names import CodecName, parse
from bench.config import presets
from bench.errors import SettingsError
from bench.files.storage import Manifest
from bench.index import pipeline
from bench.index.build import build_uncompressed
from bench.index.index import open_index
from bench.index.shards import Shard
from bench.search import engines
from bench.search.kernels.loops import maxima
from bench.search.ranking import top
from bench.verbs.common import limit_threads

ITERATIONS = 5
FLOAT = {"engine": "exact", "codec": "fp16"}
PRODUCTS = {"engine": "exact", "codec": "float32 in memory, by BLAS"}
BLOCK = 4096
PRESETS = ((2, 640), (2, 1024), (2, 2048), (3, 1024), (3, 1536), (4, 1536), (4, 2048), (6, 2048))
CODES = (
    {"engine": "exact"},
    *({"engine": "plaid", "ncells": n, "centroid_score_threshold": -1.0, "ndocs": docs} for n, docs in PRESETS),
)
SETTINGS = (
    *CODES,
    {"engine": "colbertv2", "nprobe": 2, "ncandidates": 256},
    {"engine": "colbertv2", "nprobe": 8, "ncandidates": 256},
    PRODUCTS,
)


def setup(codec: str | None, threads: int) -> None:
    """Compile the loops, or load them where they are compiled: build an index of noise and search it every way."""
    noise = np.random.default_rng(0).standard_normal((4000, 128)).astype(np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    corpus = Corpus(noise.astype(np.float16), np.full(200, 20))
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        _build(corpus, index, codec or "residual-2", threads, 0)
        for setting in CODES if codec else SETTINGS[:-1]:
            open_engine(index, setting, threads).single(noise[:32])


def build(
    codec: str | None, corpus: Corpus, index: Path, nbits: int, threads: int, seed: int
) -> tuple[float, dict[str, Any]]:
    """Where no other codec is asked for, the float vectors are put beside the index, after the clock has stopped."""
    setup(codec, threads)
    start = time.perf_counter()
    stages = _build(corpus, index, codec or f"residual-{nbits}", threads, seed)
    seconds = time.perf_counter() - start
    if codec is None:
        ids = [str(number) for number in range(len(corpus.doclens))]
        build_uncompressed(_floats(index), [_shard(corpus)], ids, settings={"codec": "fp16"})
    centroids = int(open_index(index).manifest.counts["centroids"])
    return seconds, {"centroids": centroids, "iterations": ITERATIONS, "stages": stages}


def _build(corpus: Corpus, index: Path, codec: str, threads: int, seed: int) -> dict[str, float]:
    limit_threads(threads)
    ids = [f"{number:08d}" for number in range(len(corpus.doclens))]
    steps: dict[str, Any] = {"codec": compressed(codec), "seed": seed, "iterations": ITERATIONS, "threads": threads}
    with tempfile.TemporaryDirectory(dir=index.parent) as work:
        return pipeline.build(index, [_shard(corpus)], ids, **steps, work=Path(work))


def compressed(codec: str) -> CodecName:
    found = parse(codec, "--codec")
    if found is None:
        raise SettingsError(f"codec {codec!r} of --codec keeps vectors as they are: there is nothing to compress")
    return found


def _shard(corpus: Corpus) -> Shard:
    nothing = Manifest("vectors", 1, {}, {}, {}, {}, {})
    return Shard(corpus.vectors, corpus.doclens.astype(np.int32), nothing)


def _floats(index: Path) -> Path:
    return index.with_name("float16")


def decode(index: Path, _: Corpus, positions: np.ndarray, threads: int) -> np.ndarray:
    limit_threads(threads)
    return open_index(index).vectors(positions)


class Ours:
    """An index and the values of one setting."""

    def __init__(self, index: Path, setting: Setting, threads: int):
        limit_threads(threads)
        opened = open_index(_floats(index) if setting == FLOAT else index)
        values = {name: value for name, value in setting.items() if name != "codec"}
        self.engine = engines.open_engine(presets.parse(values, "the setting"), opened, threads=threads)

    def single(self, query: np.ndarray) -> Sequence[int]:
        return self.engine.search(query[np.newaxis], DEPTH)[0].passages.tolist()

    def batch(self, queries: Sequence[np.ndarray]) -> Sequence[Sequence[int]]:
        longest = max(map(len, queries))
        padded = np.stack([np.pad(query, ((0, longest - len(query)), (0, 0))) for query in queries])
        return [ranking.passages.tolist() for ranking in self.engine.search(padded, DEPTH)]


class Products:
    """What late interaction costs without an index: float32 products with all vectors, and their maxima by passage."""

    def __init__(self, index: Path, threads: int):
        limit_threads(threads)
        opened = open_index(_floats(index))
        self.vectors, self.starts = opened.vectors(slice(0, int(opened.offsets[-1]))), opened.offsets[:-1]
        self.passages, self.id_rank = np.arange(len(opened)), opened.id_rank

    def single(self, query: np.ndarray) -> Sequence[int]:
        columns, products = query.T, np.empty((len(self.vectors), len(query)), np.float32)
        for first in range(0, len(self.vectors), BLOCK):
            np.matmul(self.vectors[first : first + BLOCK], columns, out=products[first : first + BLOCK])
        scores = maxima(products, self.starts).sum(axis=1)
        return top(self.passages, scores, DEPTH, self.id_rank).passages.tolist()


def not_products(setting: Setting) -> bool:
    return setting != PRODUCTS


def open_engine(index: Path, setting: Setting, threads: int) -> Ours | Products:
    return Products(index, threads) if setting == PRODUCTS else Ours(index, setting, threads)


def peer(codec: str | None) -> Peer:
    return Peer(
        name="colbertv2-bench",
        variant=codec,
        packages=("numpy", "numba", "torch"),
        settings=CODES if codec else SETTINGS,
        batch="one call",
        setup=partial(setup, codec),
        build=partial(build, codec),
        decode=decode,
        open=open_engine,
        exact=None if codec else FLOAT,
        batched=not_products,
    )


if __name__ == "__main__":
    own = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    own.add_argument("--codec")
    given, rest = own.parse_known_args()
    try:
        codec = str(compressed(given.codec)) if given.codec else None
    except SettingsError as error:
        sys.exit(f"colbertv2-bench: {error}")
    main(peer(codec), rest)
