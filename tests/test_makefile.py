"""What `make` runs, read from what it says it would run."""

import shlex
import subprocess
from pathlib import Path

import pytest
from snakemake.cli import get_argument_parser

ROOT = Path(__file__).resolve().parents[1]


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
