"""A benchmark of every stage behind the encoder, over made vectors, by the verbs themselves."""

import numpy as np
import pytest

from bench.cli import main
from bench.codec import fitting, kmeans
from bench.codec.nearest import assign
from bench.corpus.texts import Text, write_queries
from bench.index.build import build_compressed
from bench.index.shards import open_shard, write_shard
from bench.search.queries import write_query_vectors

PASSAGES, QUERIES, LENGTH, DIM = 120, 24, 6, 16
PRESETS = {
    "exact": "--engine exact",
    "colbertv2": "--engine colbertv2 --nprobe 2 --ncandidates 20",
    "plaid": "--engine plaid --ncells 2 --centroid-score-threshold 0.2 --ndocs 40",
}
MODEL = {"model": "m" * 64}


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def passage_vectors():
    """``[passages, length, dim]``: every third passage is a copy of the one before it, so that their scores are equal."""
    vectors = np.random.default_rng(0).standard_normal((PASSAGES, LENGTH, DIM)).astype(np.float32)
    vectors[2::3] = vectors[1::3]
    return unit(vectors)


def query_vectors(passages):
    """``[queries, 4, dim]``: noisy vectors of the passages 0, 5, 10, ..."""
    noise = np.random.default_rng(1).standard_normal((QUERIES, 4, DIM)).astype(np.float32)
    return unit(passages[: 5 * QUERIES : 5, :4] + 0.25 * noise)


@pytest.fixture(scope="session")
def made():
    """``made(folder, drop=0)``: the results folder of a benchmark whose first passage lacks its last ``drop`` vectors."""

    def make(folder, drop=0):
        passages = passage_vectors()
        doclens = np.full(PASSAGES, LENGTH, np.int32)
        doclens[0] -= drop
        vectors = np.concatenate([rows[:length] for rows, length in zip(passages, doclens, strict=True)]).astype(np.float16)
        write_shard(folder / "shard", vectors, doclens)
        shard = open_shard(folder / "shard")
        ids = [f"p{7 * number % PASSAGES}-{number}" for number in range(PASSAGES)]
        _index(folder, shard, ids)
        _queries(folder, passages, ids)
        _records(folder)
        return folder / "results"

    return make


def _index(folder, shard, ids):
    vectors = shard.vectors.astype(np.float32)
    centres = kmeans.fit(vectors, 32, seed=0, iterations=4)
    codec = fitting.fit_residual(centres, vectors, assign(vectors, centres), 2)
    codes = assign(vectors, codec.centroids)
    settings = {"codec": "residual-2", "dim": DIM, "encode": {"doc_maxlen": 8}}
    made = {"settings": settings, "inputs": {**MODEL, "corpus": "c" * 64}}
    build_compressed(folder / "index", [shard.doclens], [codes], [codec.encode(shard.vectors, codes)], codec, ids, **made)


def _queries(folder, passages, ids):
    names = [f"q{number}" for number in range(QUERIES)]
    qrels = {name: {ids[5 * number]: 3, ids[(5 * number + 1) % PASSAGES]: 1} for number, name in enumerate(names)}
    texts = [Text(name, f"question {name}") for name in names]
    settings = {"dataset": "made", "queries": QUERIES, "judgements": 2 * QUERIES}
    asked = write_queries(folder / "queries", texts, qrels, settings=settings)
    made = {"settings": {"query_maxlen": 4}, "inputs": {**MODEL, "queries": asked.digest}}
    write_query_vectors(folder / "query-vectors", query_vectors(passages), names, **made)


def _records(folder):
    rules = f"passages={PASSAGES} queries={QUERIES} judgements={2 * QUERIES} kept={QUERIES}"
    rules += " query_maxlen=4 doc_maxlen=8 gains=graded self_match=none"
    for preset, values in PRESETS.items():
        run = folder / preset / "run.trec.gz"
        asked = f"--index {folder}/index --queries {folder}/query-vectors"
        call(f"search {asked} --depth 10 {values} --threads 1 --output {run}")
        names = f"--dataset made --model m --codec residual-2 --preset {preset}"
        scored = f"evaluate --run {run} --queries {folder}/queries --measures RR@10 nDCG@10 --depth 10"
        call(f"{scored} --protocol {rules} {names} --output {folder}/{preset}/metrics.json")
    call(f"size --index {folder}/index --corpus made --model m --output {folder}/size.json")
    metrics = " ".join(f"{folder}/{preset}/metrics.json" for preset in PRESETS)
    call(f"records --metrics {metrics} --sizes {folder}/size.json --output {folder}/results/records.json")


def call(line):
    assert main(line.split()) == 0
