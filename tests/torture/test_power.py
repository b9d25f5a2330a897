"""A short version of the losses of power in ``make torture``."""

import os

import pytest

from tests.cluster.same import different
from tests.torture.power import KINDS, Disk, why_not, without_power
from tests.torture.runs import TINY, disturbed_runs, write_tiny
from tests.workflow.conftest import ROOT, copy_of_tree

pytestmark = pytest.mark.slow
WRONG = ("lost", "failed after", "other bytes")
CONFIG = "tiny.yaml"


@pytest.fixture
def disk(request, tmp_path):
    kind = getattr(request, "param", KINDS[0])
    if reason := why_not(kind, tmp_path):
        pytest.skip(reason)
    with Disk(kind, tmp_path) as disk:
        yield disk


each = pytest.mark.parametrize("disk", KINDS, indirect=True)


@each
def test_a_loss_of_power_takes_what_was_not_flushed_and_nothing_else(disk):
    kept, lost = disk.folder / "kept", disk.folder / "lost"
    with kept.open("w") as stream:
        stream.write("kept" * 1000)
        stream.flush()
        os.fsync(stream.fileno())
    lost.write_text("lost" * 1000)
    disk.lose_power()
    assert kept.read_text() == "kept" * 1000
    assert not lost.exists() or lost.read_text() == ""


@each
def test_a_stage_that_has_ended_outlives_a_loss_of_power_and_one_that_has_not_is_made_again(disk):
    found = without_power(disk, count=1, seed=7)
    assert sum(tally["failed"] for tally in found.values()) >= 6
    assert {name: tally[word] for name, tally in found.items() for word in WRONG if tally[word]} == {}
    assert sum(tally["files"] for tally in found.values()) >= 40


def test_a_run_whose_power_fails_goes_on_to_the_bytes_of_an_undisturbed_run(disk, tmp_path):
    whole, checkout = copy_of_tree(ROOT, tmp_path / "whole"), copy_of_tree(ROOT, disk.folder / "clone")
    for each in (whole, checkout):
        write_tiny(each.root)
    disk.settle()
    assert whole.snakemake("--nocolor", "--", *TINY, config=CONFIG).returncode == 0
    told = []
    tally = disturbed_runs(checkout, CONFIG, TINY, 3, 45, 3, told.append, lambda process, _: disk.lose_power(process))
    assert tally["failed after"] == 0, told
    assert tally["failed"] >= 2
    assert different(whole.root, checkout.root)[0] == []
