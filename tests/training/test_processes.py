"""Two processes over gloo against one, on the same batches."""

import json
import os
import socket
import subprocess
import sys

import pytest
import safetensors.torch
import torch

from bench.errors import SettingsError
from bench.files.provenance import ROOT
from bench.training.processes import ALONE, open_processes

BATCHES = [[3, 9, 0, 4], [3, 9, 0, 4, 7], [6]]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def launch(words, count):
    """Run ``python words`` in ``count`` processes as launchers do; their exit codes and what they wrote to stderr."""
    shared = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "WORLD_SIZE": str(count)}
    shared |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "LOCAL_WORLD_SIZE": str(count)}
    started = [
        subprocess.Popen(
            [sys.executable, *map(str, words)],
            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    errors = [process.communicate(timeout=240)[1] for process in started]
    assert [process.returncode for process in started] == [0] * count, errors


@pytest.mark.slow
def test_two_processes_give_the_gradients_of_one_for_even_uneven_and_empty_parts(training_set, tmp_path):
    for count in (1, 2):
        (tmp_path / str(count)).mkdir()
        worker = ROOT / "tests" / "training" / "process_worker.py"
        launch([worker, training_set.folder, tmp_path / str(count), json.dumps(BATCHES)], count)
    one, two = (json.loads((tmp_path / count / "facts.json").read_text()) for count in ("1", "2"))
    for number in range(len(BATCHES)):
        assert two[number].pop("processes") == [[0, 2, 1], [1, 2, 1]]
        assert one[number].pop("processes") == [[0, 1, 1]]
        assert two[number] == pytest.approx(one[number], rel=1e-6)
        expected = safetensors.torch.load_file(tmp_path / "1" / f"{number}.safetensors")
        found = safetensors.torch.load_file(tmp_path / "2" / f"{number}.safetensors")
        assert max(float(gradient.abs().max()) for gradient in expected.values()) > 1e-3
        for name, gradient in expected.items():
            torch.testing.assert_close(found[name], gradient, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_two_processes_write_one_model_and_one_log_and_remove_their_checkpoints(flags, training_set, tmp_path):
    held = {"validation_queries": training_set.folder / "queries", "validation_passages": 20, "validate_every": 2}
    words = flags("distill", tmp_path, steps=3, work=tmp_path / "w", checkpoint_every=2, batch=5, **held)
    launch(["-m", "bench", *words], 2)
    lines = [json.loads(line) for line in (tmp_path / "steps.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert [bool(line["validation"]) for line in lines] == [False, True, True]
    assert json.loads((tmp_path / "model" / "manifest.json").read_text())["settings"]["devices"] == 2
    assert not (tmp_path / "w").exists()


def test_a_process_by_itself_needs_no_launcher():
    assert open_processes("cpu") == ALONE
    assert ALONE.first
    assert ALONE.gathered("x") == ["x"]
    assert ALONE.total(torch.tensor([2.0])).tolist() == [2.0]


@pytest.mark.parametrize("device", ["cuda:1", "gpu"])
def test_a_device_with_a_number_is_refused(device):
    with pytest.raises(SettingsError, match=f"device '{device}' of the command line is not cpu or cuda"):
        open_processes(device)
