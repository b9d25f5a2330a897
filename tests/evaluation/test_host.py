"""The processors of a timing: pinned, counted, and refused where there are fewer than asked for."""

import os
import subprocess
import sys

import pytest

from bench.errors import SettingsError
from bench.evaluation import host

PINNED = """
import os, threading
import numpy
from bench.evaluation import host
seen = []
chosen = host.pin(1)
after = threading.Thread(target=lambda: seen.append(os.sched_getaffinity(0)))
after.start()
after.join()
tasks = [os.sched_getaffinity(int(task.name)) for task in host.TASKS.iterdir()]
print(len(chosen) == 1 and all(cpus == set(chosen) for cpus in (*seen, *tasks)))
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not pin threads")
def test_every_thread_of_a_pinned_process_runs_on_its_processors_alone():
    done = subprocess.run([sys.executable, "-c", PINNED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_more_threads_than_processors_are_refused():
    count = len(host.available_cpus())
    with pytest.raises(SettingsError, match=rf"threads {count + 1} .* is given {count} CPUs"):
        host.pin(count + 1)


def test_more_threads_than_the_caller_grants_are_refused():
    with pytest.raises(SettingsError, match=r"threads 2 .* is given 1 CPUs"):
        host.pin(2, granted=1)


@pytest.mark.parametrize("threads", [0, -1])
def test_a_number_of_threads_below_one_is_refused(threads):
    with pytest.raises(SettingsError, match=f"threads {threads} "):
        host.pin(threads)


@pytest.mark.parametrize(
    ("text", "whole"), [("max 100000\n", None), ("200000 100000\n", 2), ("250000 100000\n", 2), ("50000 100000\n", 1)]
)
def test_the_quota_of_a_control_group_counts_in_whole_processors(tmp_path, monkeypatch, text, whole):
    (tmp_path / "cpu.max").write_text(text)
    monkeypatch.setattr(host, "QUOTA", tmp_path / "missing")
    everything = host.available_cpus()
    monkeypatch.setattr(host, "QUOTA", tmp_path / "cpu.max")
    assert host.available_cpus() == everything[:whole]


def test_the_record_names_the_processor_its_features_and_its_memory():
    found = host.record()
    assert {"cpu", "cores", "features", "memory", "python"} <= set(found)
    assert found["memory"] is None or found["memory"] > 2**20
    assert set(found["features"]) <= set(host.FEATURES)
    load = host.load_average()
    assert load is None or len(load) == 3
