"""What `make` runs, read from what it says it would run."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from snakemake.cli import get_argument_parser

ROOT = Path(__file__).resolve().parents[1]
NEEDED = ("table1_quality.html", "table2_size.html", "figure1_quality_bytes.png", "figure2_size.png")


@pytest.mark.parametrize(
    ("target", "targets", "config"),
    [
        ("results", [], "config/quick.yaml"),
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


@pytest.mark.parametrize(
    "changed", ["table5_models.html", "supervision.html", "figure4_training.png", "table1_quality.html"]
)
def test_the_report_is_made_anew_where_any_table_or_figure_is_newer(tmp_path, changed):
    (tmp_path / "config").mkdir()
    shutil.copy(ROOT / "config/quick.yaml", tmp_path / "config")
    results = tmp_path / "results/quick"
    results.mkdir(parents=True)
    for name in {*NEEDED, changed}:
        (results / name).touch()
        os.utime(results / name, (1000, 1000))
    (results / "report.html").touch()
    os.utime(results / "report.html", (2000, 2000))
    words = ["make", "--dry-run", f"--file={ROOT / 'Makefile'}", "results/quick/report.html"]
    said = [subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout]
    os.utime(results / changed, (3000, 3000))
    said.append(subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout)
    assert ["--report results/quick/report.html" in text for text in said] == [False, True]
