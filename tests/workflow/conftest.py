import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.workflow.dry_run import dry_run

ROOT = Path(__file__).resolve().parents[2]
TREE = ("bench", "workflow", "config", "profiles", "Snakefile", "results/published.csv")


@dataclass
class Checkout:
    """A copy of the source tree in which a test may edit, run and delete; seconds: CPU of its last dry run."""

    root: Path
    seconds: float = 0.0

    def snakemake(
        self, *words: str, config: str = "config/ci.yaml", cores: int | None = 2
    ) -> subprocess.CompletedProcess[str]:
        call = self._call(config, words, cores)
        if "--dry-run" not in words:
            return subprocess.run(**call, capture_output=True, text=True, check=False)
        with tempfile.TemporaryDirectory() as work:
            done, self.seconds = dry_run(call["args"][3:], call["cwd"], call["env"], Path(work))
        return done

    def killed(self, *words: str, when: Callable[[], bool], config: str = "config/ci.yaml") -> None:
        """Start Snakemake, and kill it with all of its jobs by SIGKILL as soon as something has happened."""
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(**self._call(config, words), **silent, start_new_session=True)
        while not when() and process.poll() is None:
            time.sleep(0.02)
        assert process.poll() is None, "it ended before there was anything to kill"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _call(self, config: str, words: Sequence[str], cores: int | None = 2) -> dict[str, Any]:
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        search = os.pathsep.join(filter(None, (str(self.root), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PATH": path, "PYTHONPATH": search, "COLUMNS": "200"}
        given = [] if cores is None else ["--cores", str(cores)]
        command = [sys.executable, "-m", "snakemake", *given, "--configfile", config, *words]
        return {"args": command, "cwd": self.root, "env": environment}

    def planned(self, *words: str, config: str = "config/ci.yaml") -> dict[str, int]:
        """Number of jobs per rule that a dry run announces, without the target rule."""
        done = self.snakemake("--dry-run", *words, config=config)
        assert done.returncode == 0, done.stderr
        table = done.stdout.partition("Job stats:")[2].partition("Reasons:")[0]
        counts = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
        return {name: count for name, count in counts.items() if name not in ("all", "total")}

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.root / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def facts(self) -> dict[str, bytes]:
        """Content of every file that must not depend on time or luck: all but times and rates, and what is made of them."""
        names = ("metrics.json", "size.json", "manifest.json", "run.trec.gz")
        folders = ("truncation", "reconstruction", "worst")
        built = list(self.root.rglob("build/**/*"))
        files = [path for path in built if path.name in names or path.parent.name in folders]
        timed = {"latency", "training", "records", "report"}
        results = [path for path in self.root.rglob("results/*/**/*") if path.is_file() and "baselines" not in path.parts]
        results = [path for path in results if not timed & set(path.stem.split("_"))]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in (*files, *results)}


def copy_of_tree(source: Path, target: Path) -> Checkout:
    target.mkdir()
    for name in TREE:
        path = source / name
        if path.is_dir():
            shutil.copytree(path, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (target / name).parent.mkdir(exist_ok=True)
            shutil.copy2(path, target / name)
    return Checkout(target)


@pytest.fixture(scope="session")
def tree(tmp_path_factory) -> Checkout:
    """A checkout in which nothing has been run, and nothing is run."""
    return copy_of_tree(ROOT, tmp_path_factory.mktemp("workflow") / "tree")


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Checkout:
    """A checkout in which config/ci.yaml was run to the end, once for all workers; tests that edit take ``checkout``."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    root, errors = shared / "finished", shared / "finished.errors"
    with FileLock(shared / "finished.lock"):
        if not root.exists():
            done = copy_of_tree(ROOT, root).snakemake()
            errors.write_text(done.stderr if done.returncode else "")
    assert errors.read_text()[-4000:] == ""
    return Checkout(root)


@pytest.fixture
def checkout(finished, tmp_path) -> Checkout:
    """A private copy of the finished checkout, results and Snakemake's memory included; weights, which jobs replace and
    never edit, are the same files.
    """
    target = tmp_path / "checkout"
    shutil.copytree(finished.root, target, symlinks=True, copy_function=_copied)
    return Checkout(target)


def _copied(source: str, target: str) -> None:
    (os.link if source.endswith(".safetensors") else shutil.copy2)(source, target)
