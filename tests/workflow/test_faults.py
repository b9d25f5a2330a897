"""Whole runs of a tiny benchmark under faults: killed, twice at once, with too little memory, elsewhere, in other places."""

import os
import re
import resource
import shutil
import subprocess
import time
from types import SimpleNamespace

import pytest

from tests.torture.runs import RUNS, TINY, disturbed_runs, finish, start, write_tiny
from tests.workflow.conftest import ROOT, Checkout, copy_of_tree

pytestmark = pytest.mark.slow
CONFIG = "tiny.yaml"


def clone(folder):
    checkout = copy_of_tree(ROOT, folder)
    write_tiny(checkout.root)
    return checkout


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An undisturbed run: checkout, facts, seconds; and the end of a second run that was started while it was on."""
    checkout = clone(tmp_path_factory.mktemp("whole") / "clone")
    begun = time.monotonic()
    first = start(checkout, CONFIG, "--nocolor", "--", *TINY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while not list(checkout.root.glob(".snakemake/locks/*")) and first.poll() is None:
        time.sleep(0.05)
    second = checkout.snakemake("--nocolor", "--", *TINY, config=CONFIG)
    said, _ = first.communicate()
    assert first.returncode == 0, said[-3000:]
    return SimpleNamespace(checkout=checkout, facts=checkout.facts(), seconds=time.monotonic() - begun, second=second)


@pytest.fixture
def copied(whole, tmp_path):
    shutil.copytree(whole.checkout.root, tmp_path / "copied", symlinks=True)
    return Checkout(tmp_path / "copied")


def said_by(done, verb):
    """The lines of a verb in the output of a run."""
    return [line for line in (done.stdout + done.stderr).splitlines() if re.match(rf"bench {verb}: ", line)]


def changed(before, after):
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def test_a_second_run_in_one_clone_is_refused_in_one_line_of_ours_and_disturbs_nothing(whole):
    said = whole.second.stderr + whole.second.stdout
    assert whole.second.returncode == 1
    (line,) = [line for line in said.splitlines() if "another run is making the same files" in line]
    assert "`make unlock`" in line
    assert len(whole.facts) >= 20


@pytest.mark.parametrize("seed", [1, 2])
def test_runs_that_are_killed_at_random_moments_leave_the_bytes_of_an_undisturbed_run(whole, tmp_path, seed):
    checkout = clone(tmp_path / "clone")
    told = []
    tally = disturbed_runs(checkout, CONFIG, TINY, 4, whole.seconds, seed, told.append)
    assert tally["failed after"] == 0, told
    assert tally["killed"] + tally["alone"] >= 2
    assert changed(whole.facts, checkout.facts()) == []


LOCALES = {"tr_TR": "tr_TR.UTF-8", "de_DE": "de_DE.UTF-8"}


@pytest.mark.parametrize(("locale", "seed"), [("ascii", "1"), ("tr_TR", "2"), ("de_DE", "3")])
def test_another_clone_on_one_core_with_another_hash_seed_and_locale_gives_the_same_bytes(whole, tmp_path, locale, seed):
    environment = {"PYTHONHASHSEED": seed, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    if locale in LOCALES:
        name = LOCALES[locale]
        made = ["localedef", "--no-archive", "-i", locale, "-f", "UTF-8", str(tmp_path / name)]
        if shutil.which("localedef") is None or subprocess.run(made, capture_output=True, check=False).returncode != 0:
            pytest.skip(f"the locale {name} cannot be made here: localedef or its sources are missing")
        environment = {"PYTHONHASHSEED": seed, "LC_ALL": name, "LOCPATH": str(tmp_path)}
    checkout = clone(tmp_path / "another place")
    run = start(checkout, CONFIG, "--", *TINY, cores=1, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said, _ = run.communicate()
    assert run.returncode == 0, said[-3000:]
    assert changed(whole.facts, checkout.facts()) == []


def test_a_clone_or_a_build_folder_that_is_moved_makes_nothing_again(whole, copied, tmp_path):
    shutil.move(copied.root / "build", tmp_path / "elsewhere")
    (copied.root / "build").symlink_to(tmp_path / "elsewhere")
    assert copied.planned("--", *TINY, config=CONFIG) == {}


def test_an_input_that_vanished_is_one_line_and_what_does_not_need_it_goes_on(copied):
    (copied.root / "build/tea/corpus/passages.jsonl").unlink()
    metrics = copied.root / TINY[1]
    metrics.unlink()
    done = copied.snakemake("--nocolor", "--forcerun", "bm25", "--", *TINY, config=CONFIG)
    assert done.returncode == 1
    (line,) = set(said_by(done, "bm25"))
    assert line.startswith("bench bm25: DamagedFileError: build/tea/corpus/passages.jsonl is missing")
    assert "Traceback" not in done.stdout + done.stderr
    assert metrics.exists()
    assert not (copied.root / "build/tea/bm25/tea/run.trec.gz").exists()


def test_a_job_out_of_memory_is_one_line_and_what_does_not_need_it_goes_on(copied, whole):
    def limited():
        resource.setrlimit(resource.RLIMIT_AS, (1_200_000_000, 1_200_000_000))

    words = ["--nocolor", "--forcerun", "encode_queries", "bm25", "--", *TINY]
    before = (copied.root / TINY[0]).stat().st_mtime_ns
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    run = start(copied, CONFIG, *words, preexec_fn=limited, **pipes)
    said, _ = run.communicate()
    assert run.returncode == 1
    (line,) = {line for line in said.splitlines() if line.startswith("bench encode-queries: ")}
    assert "MemoryError: a command that loads torch needs 1.4 GB of address space, this process may take 1.2 GB" in line
    assert "Traceback" not in said
    assert (copied.root / TINY[0]).stat().st_mtime_ns > before
    assert finish(copied, CONFIG, [*TINY, "build/tea/small/queries/tea"])
    assert changed(whole.facts, copied.facts()) == []


@pytest.mark.skipif(not os.path.ismount("/proc"), reason="needs a folder that nobody can write, root included")
def test_an_output_that_cannot_be_written_is_one_line_and_what_does_not_need_it_goes_on(copied):
    folder = copied.root / "build/tea/small/residual-2/exact/tea"
    shutil.rmtree(folder)
    folder.symlink_to("/proc/self")
    (copied.root / TINY[3]).unlink()
    done = copied.snakemake("--nocolor", "--", *TINY, config=CONFIG)
    assert done.returncode == 1
    assert len(set(said_by(done, "search"))) == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert (copied.root / TINY[3]).exists()
    assert len(RUNS) == 4
