"""Building over many passages: memory stays bounded, and time grows with the vectors. Small here; on an idle machine

    SCALE_PASSAGES="100000 2000000" python -m pytest tests/index/test_scale.py -s

builds what MS MARCO would be at these sizes, prints time and memory, and holds them to 3 GB and 1.3 of the time a passage.
SCALE_THREADS=1 prints the CPU time of each step, from which bench/config/stages.py estimates hours.
"""

import json
import os
import subprocess
import sys

import pytest

from bench.files.provenance import ROOT

SIZES = [int(word) for word in os.environ.get("SCALE_PASSAGES", "500 2000").split()]
DIM = int(os.environ.get("SCALE_DIM", "32"))
THREADS = int(os.environ.get("SCALE_THREADS", len(os.sched_getaffinity(0))))
LARGE = 100_000
MOST_BYTES = 3e9
MOST_GROWTH = 1.3

BUILD = """
import json, sys, threading, time
from pathlib import Path
import numpy as np
from bench.codec.names import CodecName
from bench.index.pipeline import build
from bench.index.shards import open_shard, write_shard

folder, passages, dim, threads = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
rng = np.random.default_rng(7)
topics = rng.standard_normal((4096, dim)).astype(np.float32)


def shard(number, count):
    doclens = np.clip(rng.gamma(2, 67.5 / 2, count).round(), 1, 180).astype(np.int32)   # mean of MS MARCO, cut as it is
    vectors = np.empty((doclens.sum(), dim), np.float16)
    for start in range(0, len(vectors), 65536):
        some = vectors[start : start + 65536]
        made = topics[rng.integers(0, len(topics), len(some))] + rng.standard_normal((len(some), dim), np.float32)
        some[:] = made / np.linalg.norm(made, axis=1, keepdims=True)
    write_shard(folder / f"shard-{number}", vectors, doclens)
    return len(vectors)


def memory(kind):
    return int(Path("/proc/self/status").read_text().partition(kind + ":")[2].split()[0]) * 1024


sizes = [min(25_000, passages - start) for start in range(0, passages, 25_000)]
vectors = sum(shard(number, count) for number, count in enumerate(sizes))
shards = [open_shard(folder / f"shard-{number}") for number in range(len(sizes))]
before, most, done = memory("RssAnon"), [0], threading.Event()


def watch():
    while not done.wait(0.02):
        most[0] = max(most[0], memory("RssAnon"))


watcher = threading.Thread(target=watch)
watcher.start()
(folder / "work").mkdir()
began = time.perf_counter()
ids = [f"{number}" for number in range(passages)]
settings = {"codec": CodecName("residual", 2), "seed": 1, "iterations": 4, "threads": threads}
clock = time.process_time if threads == 1 else time.perf_counter
steps = build(folder / "index", shards, ids, **settings, work=folder / "work", clock=clock)
seconds = time.perf_counter() - began
done.set()
watcher.join()
print(json.dumps({"passages": passages, "vectors": vectors, "seconds": seconds, "steps": steps, "anonymous": most[0],
                  "before": before, "resident": memory("VmHWM")}))
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What building took at each size, in a process of its own."""
    found = []
    for passages in SIZES:
        folder = tmp_path_factory.mktemp(f"scale-{passages}")
        words = [sys.executable, "-c", BUILD, str(folder), str(passages), str(DIM), str(THREADS)]
        done = subprocess.run(
            words, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout.splitlines()[-1]))
        print("\n" + json.dumps(found[-1]))
        subprocess.run(["rm", "-r", str(folder)], check=True)
    return found


@pytest.mark.slow
def test_memory_of_a_build_grows_by_a_fraction_of_its_vectors(measured):
    first, last = measured[0], measured[-1]
    more = (last["vectors"] - first["vectors"]) * 2 * DIM
    assert last["anonymous"] - first["anonymous"] < 0.5 * more + 50e6
    assert last["anonymous"] < MOST_BYTES


@pytest.mark.slow
@pytest.mark.skipif(min(SIZES) < LARGE, reason=f"times of fewer than {LARGE} passages say nothing of growth")
def test_a_large_build_stays_below_3_gb_and_takes_as_long_a_passage_as_a_small_one(measured):
    assert max(each["resident"] for each in measured) < MOST_BYTES
    each_passage = [each["seconds"] / each["passages"] for each in measured]
    assert each_passage[-1] < MOST_GROWTH * each_passage[0]
