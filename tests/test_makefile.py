"""What `make` runs, read from what it says it would run."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from snakemake.cli import get_argument_parser

ROOT = Path(__file__).resolve().parents[1]
NEEDED = ("table1_quality.html", "table2_size.html", "figure1_quality_bytes.png", "figure2_size.png")


@pytest.mark.parametrize(
    ("target", "targets", "config"),
    [
        ("results", [], "config/quick.yaml"),
        ("gate", [], "config/ci.yaml"),
        ("peers", ["peers"], "config/peers.yaml"),
        ("growth", ["growth"], "config/peers.yaml"),
    ],
)
def test_no_flag_of_snakemake_takes_its_target_for_a_value(target, targets, config):
    words = ["make", "--dry-run", target, "GPUS=2"]  # which goes on to a report of tables that are not there
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    command = next(line for line in said.stdout.splitlines() if line.startswith(".venv/bin/snakemake "))
    found = get_argument_parser().parse_args(shlex.split(command)[1:])
    assert sorted(found.targets or []) == targets
    assert [str(path) for path in found.configfile] == [config]
    assert found.resources == {"gpu": 2}


@pytest.fixture
def tree(tmp_path):
    """A folder with the Makefile, a config, results of it, and stand-ins of the programs that make calls."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "workflow" / "report").mkdir(parents=True)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("requirements.lock", "pyproject.toml", ".venv/ready"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1000, 1000 + name.startswith(".venv")))
    programs = {
        "snakemake": 'for word; do last=$word; done; case "$*" in *--report*) echo made > "$last"; echo report made;; esac',
        "python": f'PYTHONPATH="{ROOT}" exec "{sys.executable}" "$@"',
    }
    for name, text in programs.items():
        (tmp_path / ".venv" / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / ".venv" / "bin" / name).chmod(0o755)
    results = tmp_path / "results" / "quick"
    results.mkdir(parents=True)
    for name in NEEDED:
        (results / name).touch()
        os.utime(results / name, (1000, 1000))
    return tmp_path


def make(tree, *words):
    return subprocess.run(["make", *words], cwd=tree, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "changed", ["table5_models.html", "supervision.html", "figure4_training.png", "table1_quality.html"]
)
def test_the_report_is_made_anew_where_any_table_or_figure_is_newer(tree, changed):
    shutil.copy(ROOT / "config" / "quick.yaml", tree)
    results = tree / "results" / "quick"
    for name, time in ((changed, 1000), ("report.html", 2000)):
        (results / name).touch()
        os.utime(results / name, (time, time))
    said = [make(tree, "report", "CONFIG=quick.yaml")]
    os.utime(results / changed, (3000, 3000))
    said.append(make(tree, "report", "CONFIG=quick.yaml"))
    assert ["report made" in text for text in said] == [False, True]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("plain.yaml", "name: quick\n"),
        ("quoted.yaml", 'name: "quick"\n'),
        ("comment.yaml", "name: quick  # small\n"),
        ("extends.yaml", None),
        ("my config.yaml", "name: quick\n"),
    ],
)
def test_the_report_of_every_config_that_the_plan_takes_is_found(tree, file, text):
    quick = (ROOT / "config" / "quick.yaml").read_text()
    (tree / "base.yaml").write_text(quick)
    (tree / file).write_text("extends: base.yaml\n" if text is None else quick.replace("name: quick\n", text))
    assert "report made" in make(tree, "results", f"CONFIG={file}")
    assert (tree / "results" / "quick" / "report.html").read_text() == "made\n"
