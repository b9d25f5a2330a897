"""A training run that is killed in the middle, by a real SIGKILL, and started again."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from bench.cli import main
from bench.files.provenance import ROOT

STEPS, EVERY = 60, 10


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def kill_after(words, log, count):
    """Start the command line and kill it as soon as its log has ``count`` lines."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-m", "bench", *words], env=environment)
    deadline = time.monotonic() + 240
    while len(lines(log)) < count and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.parametrize("verb", ["distill", "train"])
def test_a_killed_run_that_is_started_again_ends_with_identical_bytes(flags, training_set, tmp_path, capsys, verb):
    held = {"validation_queries": training_set.folder / "queries", "validation_passages": 20, "validate_every": 15}
    changes = {"steps": STEPS, "checkpoint_every": EVERY, "micro_batch": 2, **held}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    assert main(flags(verb, whole, work=whole / "work", **changes)) == 0
    words = flags(verb, killed, work=killed / "work", **changes)
    kill_after(words, killed / "steps.jsonl", EVERY + 4)
    reached = len(lines(killed / "steps.jsonl"))
    assert EVERY < reached < STEPS
    assert not (killed / "model" / "manifest.json").exists()
    assert main(words) == 0
    resumed = int(capsys.readouterr().out.rpartition("resumed from step ")[2].partition(";")[0])
    assert resumed in (reached // EVERY * EVERY, reached // EVERY * EVERY - EVERY)  # the kill may fall into writing one
    assert resumed > 0
    for name in ("model.safetensors", "colbert.json", "manifest.json"):
        assert (killed / "model" / name).read_bytes() == (whole / "model" / name).read_bytes()
    facts = [
        [{name: value for name, value in json.loads(line).items() if not name.endswith("_per_s")} for line in lines(log)]
        for log in (whole / "steps.jsonl", killed / "steps.jsonl")
    ]
    assert facts[0] == facts[1]
    assert [fact["step"] for fact in facts[1]] == list(range(1, STEPS + 1))


@pytest.mark.slow
def test_a_killed_run_started_again_with_other_settings_is_refused(flags, tmp_path, capsys):
    changes = {"steps": STEPS, "checkpoint_every": EVERY, "work": tmp_path / "work"}
    kill_after(flags("distill", tmp_path, **changes), tmp_path / "steps.jsonl", EVERY + 2)
    before = (tmp_path / "steps.jsonl").read_bytes()
    assert main(flags("distill", tmp_path, **changes, learning_rate=2e-3)) == 1
    assert "with learning_rate 0.001 among its settings, this one has 0.002" in capsys.readouterr().err
    assert (tmp_path / "steps.jsonl").read_bytes() == before
