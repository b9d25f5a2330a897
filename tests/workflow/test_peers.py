"""The protocol of measuring peers, and the real peers where their environments are there."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workflow.peer_jobs import PEERS
from workflow.peers import measure

ROOT = Path(__file__).resolve().parents[2]
DIM = 128
NEEDED = ("system", "version", "inputs", "counts", "build", "bytes_per_vector", "reconstruction_error", "searches", "host")


class Clock:
    """Moves only when told to."""

    now = 0.0

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds


def test_a_summary_is_in_milliseconds():
    found = measure.summary(np.arange(101) / 1000)
    assert {name: round(value, 9) for name, value in found.items()} == {"p50": 50, "p95": 95, "p99": 99, "mean": 50}


class Scripted:
    """A peer without an index, whose calls take as long as they are told to."""

    batch, settings = "one call", ({"probes": 1}, {"probes": 2})

    def __init__(self):
        self.single = {1: iter([[4.0, 2.0], [1.0, 3.0], [5.0, 5.0]]), 2: iter([[9.0, 9.0], [8.0, 9.0], [9.0, 8.0]])}
        self.whole = {1: iter([4.0, 2.0, 8.0]), 2: iter([1.0, 1.0, 1.0])}

    def round_of(self, setting, batch):
        ranking = np.full((2, 100), setting["probes"])
        taken = np.array(next(self.single[setting["probes"]]))
        return measure.Times(ranking, taken, next(self.whole[setting["probes"]]) if batch else None)


def test_rounds_go_through_all_settings_and_each_query_counts_with_its_best_a_batch_with_its_median(monkeypatch):
    order, peer = [], Scripted()

    def instead(threads, function, _, index, setting, count, batch, queries):
        order.append(setting["probes"])
        return peer.round_of(setting, batch)

    monkeypatch.setattr(measure, "in_fresh_process", instead)
    rows, rankings = measure.searched(peer, 1, Path("nowhere"), [np.zeros((1, 4))] * 2)
    assert order == [1, 2] * 3
    assert [(row["setting"], row["mode"]) for row in rows] == [
        (f"probes={probes}", mode) for probes in (1, 2) for mode in ("single", "batch")
    ]
    assert rows[0]["ms"]["mean"] == pytest.approx(1500)
    assert rows[1]["queries_per_second"] == 0.5
    assert rows[2]["ms"]["mean"] == pytest.approx(8000)
    assert {name: int(found[0, 0]) for name, found in rankings.items()} == {"probes=1": 1, "probes=2": 2}


def test_rankings_are_cut_at_the_depth_and_filled_with_minus_one():
    assert measure.padded([[7, 8, 9, 1], [5], []], depth=3).tolist() == [[7, 8, 9], [5, -1, -1], [-1, -1, -1]]


def test_decoded_vectors_are_normalised_before_their_distance_is_taken():
    original = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float16)
    decoded = np.array([[2.0, 0.0], [3.0, 0.0]], dtype=np.float32)
    assert measure.squared_distance(original, decoded) == 1.0


def test_a_sample_is_seeded_sorted_and_never_larger_than_what_there_is():
    assert measure.sample(1000, 10, seed=1).tolist() == measure.sample(1000, 10, seed=1).tolist()
    assert (np.diff(measure.sample(1000, 10, seed=1)) > 0).all()
    assert measure.sample(5, 10, seed=1).tolist() == [0, 1, 2, 3, 4]


def test_a_setting_has_a_name_that_says_its_values():
    assert measure.setting_name({"ncells": 2, "ndocs": 1024}) == "ncells=2, ndocs=1024"


@pytest.mark.parametrize("threads", [0, 3])
def test_more_threads_than_there_are_cpus_are_refused(threads):
    with pytest.raises(measure.RefusedError, match=f"--threads {threads} cannot be measured on 2 CPUs"):
        measure.check_cpus(threads, 2)


def unit(rng, *shape):
    found = rng.normal(size=(*shape, DIM)).astype(np.float32)
    return found / np.linalg.norm(found, axis=-1, keepdims=True)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Two shards of 150 passages each, and four queries that are vectors of passages 3, 80, 150 and 299, one padded."""
    rng = np.random.default_rng(7)
    folder = tmp_path_factory.mktemp("vectors")
    centres = unit(rng, 60)
    doclens = rng.integers(8, 40, size=300)
    vectors = centres[rng.integers(60, size=doclens.sum())] + 0.5 * unit(rng, doclens.sum())
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    half = doclens[:150].sum()
    for name, part, lengths in (("00000", vectors[:half], doclens[:150]), ("00001", vectors[half:], doclens[150:])):
        (folder / name).mkdir()
        np.save(folder / name / "vectors.npy", part)
        np.save(folder / name / "doclens.npy", lengths.astype(np.int32))
    queries = np.zeros((4, 32, DIM), dtype=np.float32)
    starts = np.cumsum(doclens) - doclens
    for row, passage in zip(queries, (3, 80, 150, 299), strict=True):
        found = vectors[starts[passage] : starts[passage] + min(doclens[passage], 32)]
        row[: len(found)] = found
    (folder / "queries").mkdir()
    np.save(folder / "queries" / "vectors.npy", queries)
    return folder


def shards(inputs):
    return [inputs / "00000", inputs / "00001"]


def test_passages_are_counted_through_all_shards(inputs):
    corpus = measure.read_corpus(shards(inputs))
    assert len(corpus.doclens) == 300
    assert corpus.vectors.shape == (corpus.doclens.sum(), DIM)
    second = np.load(inputs / "00001" / "vectors.npy")
    assert (corpus.vectors[corpus.doclens[:150].sum() :] == second).all()


def test_queries_lose_their_padding(inputs):
    stored = np.load(inputs / "queries" / "vectors.npy")
    assert [len(query) for query in measure.read_queries(inputs / "queries")] == stored.any(axis=2).sum(axis=1).tolist()


def test_a_query_without_vectors_is_refused(tmp_path):
    np.save(tmp_path / "vectors.npy", np.stack([np.ones((2, 4)), np.zeros((2, 4))]).astype(np.float32))
    with pytest.raises(measure.RefusedError, match=r"query 1 of .* has no vector"):
        measure.read_queries(tmp_path)


def test_lengths_that_do_not_fit_the_vectors_are_refused(tmp_path):
    np.save(tmp_path / "vectors.npy", np.zeros((5, 4), dtype=np.float16))
    np.save(tmp_path / "doclens.npy", np.array([2, 2], dtype=np.int32))
    with pytest.raises(measure.RefusedError, match="add up to 4, it has 5 vectors"):
        measure.read_corpus([tmp_path])


def test_a_file_that_is_missing_is_refused_by_its_name(tmp_path):
    with pytest.raises(measure.RefusedError, match=r"vectors\.npy is not a readable"):
        measure.read_corpus([tmp_path])


def test_a_digest_covers_every_shard_in_order(inputs):
    names = ("vectors.npy", "doclens.npy")
    assert measure.digest(shards(inputs), names) != measure.digest(shards(inputs)[::-1], names)
    assert measure.digest([inputs / "queries"]) == measure.digest([inputs / "queries"])


def limits():
    return len(os.sched_getaffinity(0)), [os.environ[name] for name in measure.THREAD_VARIABLES]


def test_a_fresh_process_has_the_cpus_and_threads_that_it_is_told_and_this_one_keeps_its_own():
    before = os.sched_getaffinity(0), dict(os.environ)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests.workflow.test_peers import limits\n"
        "from workflow.peers import measure\n"
        "if __name__ == '__main__': print(measure.in_fresh_process(1, limits))"
    )
    path = os.pathsep.join((str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])))
    command = [sys.executable, "-c", script, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path})
    assert done.stdout.strip() == "(1, ['1', '1', '1', '1'])"
    assert (os.sched_getaffinity(0), dict(os.environ)) == before


def run(peer, inputs, folder, threads):
    python = ROOT / ".venv-peers" / peer / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{python.relative_to(ROOT)} is not there; make peers makes it")
    command = [python, ROOT / "workflow" / "peers" / f"{peer}.py", "--vectors", *shards(inputs), "--queries"]
    flags = [inputs / "queries", "--threads", str(threads), "--seed", "1", "--work", folder / "work"]
    words = [*map(str, command), *map(str, flags), "--output", str(folder / "record.json")]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_finds_the_passages_that_queries_were_taken_from(peer, inputs, tmp_path):
    done = run(peer, inputs, tmp_path, threads=1)
    assert done.returncode == 0, done.stderr[-4000:]
    record = json.loads((tmp_path / "record.json").read_text())
    assert [key for key in NEEDED if key not in record] == []
    assert record["system"] == peer
    assert 0 < record["reconstruction_error"] < 0.2
    assert {(search["threads"], search["mode"]) for search in record["searches"]} == {(1, "single"), (1, "batch")}
    with np.load(tmp_path / "record.npz") as rankings:
        assert set(rankings.files) == {search["setting"] for search in record["searches"]}
        for ranking in rankings.values():
            assert ranking.shape == (4, 100)
            assert ranking[:, 0].tolist() == [3, 80, 150, 299]


@pytest.mark.slow
@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_refuses_more_threads_than_cpus_in_one_line(peer, inputs, tmp_path):
    done = run(peer, inputs, tmp_path, threads=4096)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [done.stderr.strip()]
    assert "--threads 4096 cannot be measured" in done.stderr
    assert not (tmp_path / "record.json").exists()


@pytest.mark.slow
def test_ours_is_measured_by_the_same_protocol_and_has_the_exact_ranking_beside(inputs, tmp_path):
    script, given = ROOT / "workflow/peers/ours.py", ["--vectors", *shards(inputs), "--queries", inputs / "queries"]
    flags = ["--threads", "1", "--seed", "1", "--work", tmp_path / "work", "--output", tmp_path / "record.json"]
    done = subprocess.run([sys.executable, script, *map(str, [*given, *flags])], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["system"] == "colbertv2-bench"
    with np.load(tmp_path / "record.npz") as rankings:
        assert set(rankings.files) == {search["setting"] for search in record["searches"]} | {"exact"}
        assert all(ranking[:, 0].tolist() == [3, 80, 150, 299] for ranking in rankings.values())


@pytest.mark.parametrize(
    ("codec", "said"), [("opq-7y", "codec 'opq-7y' in --codec is not one of"), ("fp16", "there is nothing to compress")]
)
def test_ours_refuses_a_codec_in_one_line(codec, said):
    done = subprocess.run(
        [sys.executable, ROOT / "workflow/peers/ours.py", "--codec", codec], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
