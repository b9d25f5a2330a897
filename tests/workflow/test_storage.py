"""Rules declare all files that they write and read, so that a run needs no disk that its jobs share."""

import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

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


COPIED = """
import sys, boto3
from pathlib import Path
server, folder = sys.argv[1], Path(sys.argv[2])
client = boto3.client("s3", endpoint_url=server)
for page in client.get_paginator("list_objects_v2").paginate(Bucket="bench"):
    for item in page.get("Contents", []):
        path = folder / item["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        client.download_file("bench", item["Key"], str(path))
"""


@dataclass
class Storage:
    """words: what Snakemake is told of it; environment of its programs."""

    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)

    def copied(self, folder: Path) -> Checkout:
        """All that is in it, as files."""
        return Checkout(folder)


class S3(Storage):
    def copied(self, folder):
        subprocess.run(
            [PYTHON, "-c", COPIED, self.words[-1], str(folder)], env={**os.environ, **self.environment}, check=True
        )
        return Checkout(folder)


@contextmanager
def fs(folder):
    yield Storage(["--default-storage-provider", "fs", "--default-storage-prefix", str(folder)])


@contextmanager
def s3(_):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    server = f"http://127.0.0.1:{port}"
    keys = {"AWS_ACCESS_KEY_ID": "one", "AWS_SECRET_ACCESS_KEY": "two", "AWS_DEFAULT_REGION": "us-east-1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([PYTHON.with_name("moto_server"), "-H", "127.0.0.1", "-p", port], **quiet)
    try:
        made = f"import boto3; boto3.client('s3', endpoint_url={server!r}).create_bucket(Bucket='bench')"
        for _ in range(60):
            done = subprocess.run([PYTHON, "-c", made], env={**os.environ, **keys}, capture_output=True, check=False)
            if done.returncode == 0:
                break
            time.sleep(1)
        words = ["--default-storage-provider", "s3", "--default-storage-prefix", "s3://bench"]
        yield S3([*words, "--storage-s3-endpoint-url", server], keys)
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("storage", [fs, s3])
def test_a_run_through_a_storage_has_the_facts_of_a_run_on_one_disk_and_reruns_as_little(finished, tmp_path, storage):
    if not PYTHON.exists() or shutil.which("rsync") is None:
        pytest.skip("rsync or the plugins of Snakemake are missing: tests/cluster/environment installs these")
    work = copy_of_tree(ROOT, tmp_path / "work")
    with storage(tmp_path / "storage") as place:

        def run(*words):
            command = [PYTHON, "-m", "snakemake", "--cores", "2", "--configfile", "config/ci.yaml", *words, *place.words]
            environment = {**os.environ, "PYTHONPATH": str(work.root), **place.environment}
            done = subprocess.run(command, cwd=work.root, env=environment, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-4000:]
            return done.stdout + done.stderr

        run()
        before, after = finished.facts(), place.copied(tmp_path / "storage").facts()
        assert sorted(before) == sorted(after)
        assert [name for name in before if before[name] != after[name]] == []
        assert files(work.root / "build") == []  # nothing was left where the jobs ran
        assert "Nothing to be done" in run("--dry-run")
        work.edit("config/ci.yaml", "ndocs: 400", "ndocs: 420")
        jobs = dict(re.findall(r"^(\w+) +(\d+)$", run("--dry-run").partition("Job stats:")[2], re.MULTILINE))
        assert (jobs["search"], jobs["evaluate"], jobs["latency"]) == ("1", "1", "1")
        assert not {"encode", "index", "train", "corpus", "size"} & set(jobs)
