"""A tiny benchmark of whole runs of the workflow, and runs that are killed by SIGKILL at seeded random moments."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.workflow.conftest import Checkout

CONFIG = """
name: tiny
seed: 1
depth: 10
queries:
  tea: {passages: passages.jsonl, queries: questions.jsonl, judgements: judgements.tsv, measures: [RR@10], doc_maxlen: 60}
models:
  small:
    base: {name: ./bert}
    projection: {dim: 16}
    inputs: {query_marker: null, doc_marker: null, pad_queries: false}
    train: null
presets:
  exact: {engine: exact}
  colbertv2: {engine: colbertv2, nprobe: 2, ncandidates: 100}
grid:
  - {models: [small], codecs: [fp16, residual-2], presets: [exact]}
  - {models: [small], codecs: [residual-2], presets: [colbertv2]}
bm25: true
encode: {passages_per_shard: 30, precision: float32}
kmeans: {iterations: 4}
"""
RUNS = ("bm25", "small/fp16/exact", "small/residual-2/exact", "small/residual-2/colbertv2")
TINY = [f"build/tea/{run}/tea/metrics.json" for run in RUNS] + ["build/tea/small/residual-2/size.json"]
PASSAGES, QUERIES = 60, 8
SILENT = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
START = 3  # seconds, in which Snakemake has begun no job
RERUNS = 3  # orphans may still write what the first one is to make again


def write_tiny(root: Path) -> None:
    """Write tiny.yaml into a checkout, own data of random words, and a random network."""
    from tests.fixtures_model import WORDS, write_tiny_bert

    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS.split(), 12)) for _ in range(PASSAGES)]
    lines = [json.dumps({"_id": f"p{number}", "text": text}) for number, text in enumerate(texts)]
    asked = [json.dumps({"_id": f"q{number}", "text": " ".join(texts[number].split()[:4])}) for number in range(QUERIES)]
    (root / "passages.jsonl").write_text("\n".join(lines) + "\n")
    (root / "questions.jsonl").write_text("\n".join(asked) + "\n")
    judged = "".join(f"q{number}\tp{number}\t1\n" for number in range(QUERIES))
    (root / "judgements.tsv").write_text(f"query-id\tcorpus-id\tscore\n{judged}")
    (root / "tiny.yaml").write_text(CONFIG)
    write_tiny_bert(root / "bert")


def start(checkout: Checkout, config: str, *words: str, cores: int = 2, **call: object) -> subprocess.Popen:
    """Start Snakemake in a process group of its own."""
    given = checkout._call(config, words, cores)
    given["env"] = {**given["env"], **call.pop("env", {})}
    return subprocess.Popen(**given, **{**SILENT, **call}, text=True, start_new_session=True)


def finish(checkout: Checkout, config: str, targets: list[str]) -> bool:
    """Unlock, and run to the end. Return whether it came to one."""
    for _ in range(RERUNS):
        checkout.snakemake("--unlock", config=config)
        if checkout.snakemake("--nocolor", "--", *targets, config=config).returncode == 0:
            return True
        time.sleep(2)
    return False


def kill(process: subprocess.Popen, number: int) -> str:
    """Kill a run by SIGKILL, every third time without its jobs. Return what was killed."""
    alone = number % 3 == 2
    (os.kill if alone else os.killpg)(process.pid, signal.SIGKILL)
    process.wait()
    return "alone" if alone else "killed"


def disturbed_runs(
    checkout: Checkout,
    config: str,
    targets: list[str],
    count: int,
    seconds: float,
    seed: int,
    told: Callable[[str], None],
    disturb: Callable[[subprocess.Popen, int], str] = kill,
) -> Counter:
    """Disturb a run ``count`` times, then let it end. seconds: of an undisturbed run.

    Each run goes on where the one before was ended, so that moments are drawn from what is left. Return counts: what
    ``disturb`` says that it did, ended before, failed after.
    """
    rng = np.random.default_rng(seed)
    tally: Counter[str] = Counter()
    for number in range(count):
        checkout.snakemake("--unlock", config=config)
        process = start(checkout, config, "--nocolor", "--", *targets)
        try:
            process.wait(START + seconds * float(rng.uniform(0.0, 1.5)) / count)
            tally["ended before"] += 1
            break
        except subprocess.TimeoutExpired:
            tally[disturb(process, number)] += 1
        told(f"{number + 1} of {count}: {dict(tally)}")
    tally["failed after"] = int(not finish(checkout, config, targets))
    return tally
