"""A small benchmark over random vectors, without a network: every stage from shards to quality, by its real command.

Beside them stand a model with random weights, tuples, and a baseline.
"""

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

from bench.corpus.texts import Text, write_passages, write_queries
from bench.index.shards import write_shard
from bench.search.queries import write_query_vectors

ROOT = Path(__file__).resolve().parents[2]
PASSAGES, SHARDS, QUERIES, DIM = 600, 2, 20, 16
ENCODE = {"doc_maxlen": 60, "passages_per_shard": PASSAGES // SHARDS, "precision": "float32", "threads": 1}
RULES = {"passages": PASSAGES, "queries": QUERIES, "judgements": QUERIES, "kept": QUERIES, "query_maxlen": 32}
RULES |= {"doc_maxlen": 60, "gains": "graded", "self_match": "none"}


def unit(rng, count):
    vectors = rng.standard_normal((count, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def sources(folder: Path, seed: int = 0) -> None:
    """Write a corpus, queries with judgements, two shards of vectors, and query vectors."""
    rng = np.random.default_rng(seed)
    texts = [Text(f"d{number}", f"passage {rng.integers(1000)} of {number}") for number in range(PASSAGES)]
    corpus = write_passages(folder / "corpus", texts, settings={"template": "{text}"}).digest
    asked = [Text(f"q{number}", f"passage {number}") for number in range(QUERIES)]
    qrels = {f"q{number}": {f"d{int(rng.integers(PASSAGES))}": 1} for number in range(QUERIES)}
    settings = {"queries": QUERIES, "judgements": QUERIES}
    queries = write_queries(folder / "queries", asked, qrels, settings=settings).digest
    for shard in range(SHARDS):
        doclens = rng.integers(20, 60, PASSAGES // SHARDS)
        inputs = {"corpus": corpus, "model": "m"}
        write_shard(folder / f"vectors/{shard}", unit(rng, doclens.sum()), doclens, settings=ENCODE, inputs=inputs)
    vectors = unit(rng, QUERIES * 8).reshape(QUERIES, 8, DIM)
    made = {"settings": {"query_maxlen": 32}, "inputs": {"model": "m", "queries": queries}}
    write_query_vectors(folder / "query-vectors", vectors, [text.id for text in asked], **made)


def stages(folder: Path) -> dict[str, list[str]]:
    """The words of each command, in order, by what it writes."""
    shards = [f"{folder}/vectors/{shard}" for shard in range(SHARDS)]
    centroids, codec, run = f"{folder}/centroids", f"{folder}/codec", f"{folder}/run/run.trec.gz"
    codes, residuals = ([f"{folder}/{part}/{shard}" for shard in range(SHARDS)] for part in ("codes", "residuals"))
    found = {
        "centroids": ["centroids", "--vectors", *shards, "--iterations", "3", "--seed", "1", "--threads", "1"],
        "codec": ["fit", "--centroids", centroids, "--codec", "residual-2", "--seed", "1", "--threads", "1"],
    }
    for number, shard in enumerate(shards):
        found[f"codes/{number}"] = ["assign", "--vectors", shard, "--centroids", centroids, "--threads", "1"]
        found[f"residuals/{number}"] = ["compress", "--vectors", shard, "--codes", codes[number], "--codec", codec]
    parts = ["--vectors", *shards, "--codec", codec, "--codes", *codes, "--residuals", *residuals]
    found["index"] = ["index", "--corpus", f"{folder}/corpus", *parts]
    found["plain"] = ["index", "--corpus", f"{folder}/corpus", "--vectors", *shards]
    engine = ["--depth", "10", "--engine", "colbertv2", "--nprobe", "2", "--ncandidates", "512", "--threads", "1"]
    found["run/run.trec.gz"] = ["search", "--index", f"{folder}/index", "--queries", f"{folder}/query-vectors", *engine]
    axes = [
        "--dataset",
        "d",
        "--model",
        "m",
        "--codec",
        "residual-2",
        "--preset",
        "p",
        "--measures",
        "RR@10",
        "--depth",
        "10",
    ]
    rules = [f"{name}={value}" for name, value in RULES.items()]
    found["run/metrics.json"] = ["evaluate", "--run", run, "--queries", f"{folder}/queries", *axes, "--protocol", *rules]
    found["size.json"] = ["size", "--index", f"{folder}/index", "--corpus", "c", "--model", "m"]
    return {name: [*words, "--output", f"{folder}/{name}"] for name, words in found.items()}


def beside(folder: Path, seed: int = 0) -> None:
    """Write what training and the gate hand on: a base, a model of it, tuples, and a baseline of the run above."""
    from bench.cli import main
    from bench.gate import facts
    from bench.gate.tolerances import Tolerances
    from bench.training.tuples import Row, write_tuples
    from tests.fixtures_model import write_tiny_bert

    write_tiny_bert(folder / "base", seed)
    words = ["project", "--name", f"{folder}/base", "--dim", str(DIM), "--seed", str(seed)]
    words += ["--precision", "float32", "--threads", "1"]
    rng = np.random.default_rng(seed)
    rows = [Row(f"q{number}", [f"d{number}", f"d{number + 30}"], rng.normal(size=2).tolist()) for number in range(QUERIES)]
    write_tuples(folder / "tuples", rows, settings={}, inputs={"queries": "q"})
    record = ["records", "--metrics", f"{folder}/run/metrics.json", "--sizes", f"{folder}/size.json"]
    for name, call in (("model", words), ("baseline/facts.json", record)):
        if main([*call, "--output", f"{folder}/{name}"]) != 0:
            raise RuntimeError(f"{name} failed")
    found, _ = facts.read(folder / "baseline" / "facts.json")
    facts.write(folder / "baseline" / "baseline.json", found, tolerances=Tolerances().model_dump())


def start(words: list[str]) -> subprocess.Popen:
    """Start a command in a process, and a session, of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-m", "bench", *words], env=environment, **silent, start_new_session=True)


# A process that has imported what the commands import, and has done nothing: its children begin with their work at once.
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([*(f"bench.verbs.{verb}" for verb, *_ in stages(Path()).values()), "bench.search.colbertv2"])


def fork(words: list[str]) -> BaseProcess:
    """Start a command in a process that has nothing to import."""
    process = _SERVER.Process(target=_run, args=(words,))
    process.start()
    return process


def _run(words: list[str]) -> None:
    from bench.cli import main

    with Path(os.devnull).open("w") as silent:
        sys.stdout = sys.stderr = silent
        sys.exit(main(words))


def built(folder: Path, seed: int = 0) -> Path:
    """Run every stage in this process."""
    from bench.cli import main

    sources(folder, seed)
    for name, words in stages(folder).items():
        if main(words) != 0:
            raise RuntimeError(f"{name} failed")
    beside(folder, seed)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """The bytes of every file, the hidden ones left out, by its name in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
