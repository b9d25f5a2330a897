"""Rules declare all files that they write and read, so that a run needs no disk that its jobs share."""

import os
import re
import shutil
import subprocess

import pytest

from tests.workflow.conftest import ROOT, Checkout, copy_of_tree

PYTHON = ROOT / ".venv-peers" / "cluster" / "bin" / "python"


def test_every_file_that_the_run_wrote_is_declared_by_a_rule_itself_or_by_a_folder_above_it(finished):
    done = finished.snakemake("--dry-run", "--forceall", "--quiet", "host")
    assert done.returncode == 0, done.stderr
    named = re.findall(r"^    output: (.*)$", done.stdout + done.stderr, re.MULTILINE)
    declared = {path for line in named for path in line.split(", ")}
    assert len(declared) > 150
    written = [path.relative_to(finished.root) for name in ("build", "results/ci") for path in files(finished.root / name)]
    assert len(written) > 300
    assert [str(path) for path in written if not declared & {str(path), *map(str, path.parents)}] == []


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]


@pytest.mark.slow
def test_a_run_through_a_storage_has_the_facts_of_a_run_on_one_disk_and_reruns_as_little(finished, tmp_path):
    if not PYTHON.exists() or shutil.which("rsync") is None:
        pytest.skip("rsync or the plugins of Snakemake are missing: tests/cluster/environment installs these")
    work, bucket = copy_of_tree(ROOT, tmp_path / "work"), Checkout(tmp_path / "bucket")

    def run(*words):
        command = [PYTHON, "-m", "snakemake", "--cores", "2", "--configfile", "config/ci.yaml", *words]
        storage = ["--default-storage-provider", "fs", "--default-storage-prefix", str(bucket.root)]
        environment = {**os.environ, "PYTHONPATH": str(work.root)}
        done = subprocess.run(
            [*command, *storage], cwd=work.root, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout + done.stderr

    run()
    before, after = finished.facts(), bucket.facts()
    before.pop("results/published.csv")  # a source
    assert sorted(before) == sorted(after)
    assert [name for name in before if before[name] != after[name]] == []
    assert files(work.root / "build") == []  # nothing was left where the jobs ran
    assert "Nothing to be done" in run("--dry-run")
    work.edit("config/ci.yaml", "ndocs: 400", "ndocs: 420")
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", run("--dry-run").partition("Job stats:")[2], re.MULTILINE))
    assert (jobs["search"], jobs["evaluate"], jobs["latency"]) == ("1", "1", "1")
    assert not {"encode", "index", "train", "corpus", "size"} & set(jobs)
