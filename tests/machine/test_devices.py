"""Devices are shared by locks: two fake ones among several processes, and one that is freed by a kill."""

import itertools
import json
import os
import subprocess
import sys
import time

import pytest

from bench.errors import SettingsError
from bench.files.provenance import ROOT
from bench.machine import devices

WORKER = """
import json, os, sys, time
from pathlib import Path
from bench.machine import devices
name = devices.take(lambda: 0, Path(sys.argv[1]))
began = time.monotonic()
print(json.dumps({"device": name, "shown": os.environ["CUDA_VISIBLE_DEVICES"], "began": began}), flush=True)
time.sleep(float(sys.argv[2]))
print(time.monotonic(), flush=True)
"""


def start(folder, seconds, visible="0,1"):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": visible, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", WORKER, str(folder), str(seconds)]
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)


def test_six_processes_share_two_devices_and_never_one_of_them(tmp_path):
    workers = [start(tmp_path / "locks", 0.4) for _ in range(6)]
    found = []
    for worker in workers:
        first, last = worker.communicate(timeout=30)[0].splitlines()
        found.append({**json.loads(first), "ended": float(last)})
    assert all(each["device"] == each["shown"] for each in found)
    assert {each["device"] for each in found} == {"0", "1"}
    for device in ("0", "1"):
        turns = sorted((each["began"], each["ended"]) for each in found if each["device"] == device)
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(turns))
    moments = [each["began"] for each in found]
    running = [sum(each["began"] <= moment < each["ended"] for each in found) for moment in moments]
    assert max(running) == 2  # and both devices were busy at once


def test_a_device_whose_process_is_killed_is_free_again(tmp_path):
    first = start(tmp_path / "locks", 60, visible="0")
    assert json.loads(first.stdout.readline())["device"] == "0"
    second = start(tmp_path / "locks", 0, visible="0")
    time.sleep(0.6)
    assert second.poll() is None
    first.kill()
    first.wait()
    assert json.loads(second.communicate(timeout=30)[0].splitlines()[0])["device"] == "0"
    first.communicate()


def test_without_a_list_of_devices_they_are_counted(tmp_path):
    other = start(tmp_path, 60, visible="0")
    assert json.loads(other.stdout.readline())["device"] == "0"
    environment = {}
    assert devices.take(lambda: 2, tmp_path, environment) == "1"
    assert environment == {"CUDA_VISIBLE_DEVICES": "1"}
    assert devices.take(lambda: 2, tmp_path, environment) == "1"  # a process keeps the one that it has
    other.kill()
    other.communicate()


@pytest.mark.parametrize(("name", "value"), [("WORLD_SIZE", "2"), ("SLURM_JOB_ID", "77")])
def test_what_a_scheduler_or_a_launcher_has_given_is_left_alone(tmp_path, name, value):
    environment = {name: value, "CUDA_VISIBLE_DEVICES": "0,1"}
    assert devices.take(lambda: 2, tmp_path, environment) is None
    assert environment["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("environment", [{}, {"CUDA_VISIBLE_DEVICES": ""}, {"CUDA_VISIBLE_DEVICES": "-1"}])
def test_a_machine_without_devices_is_refused(tmp_path, environment):
    with pytest.raises(SettingsError, match="device cuda is asked for, but there is none here"):
        devices.take(lambda: 0, tmp_path, environment)
