"""What `make` runs, read from what it says it would run."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from snakemake.cli import get_argument_parser

ROOT = Path(__file__).resolve().parents[1]


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
    words = ["make", "--dry-run", target, "GPUS=2"]
    said = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    command = next(line for line in said.stdout.splitlines() if line.startswith(".venv/bin/snakemake "))
    found = get_argument_parser().parse_args(shlex.split(command)[1:])
    assert sorted(found.targets or []) == targets
    assert [str(path) for path in found.configfile] == [config]
    assert found.resources == {"gpu": 2}


@pytest.mark.parametrize("file", ["plain.yaml", "my config.yaml"])
def test_a_config_reaches_snakemake_as_one_word(tmp_path, file):
    shutil.copy(ROOT / "Makefile", tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("requirements.lock", "pyproject.toml", ".venv/ready"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1000, 1000 + name.startswith(".venv")))
    (programs / "snakemake").write_text('#!/bin/sh\nfor word; do echo "<$word>"; done\n')
    (programs / "snakemake").chmod(0o755)
    said = subprocess.run(["make", "results", f"CONFIG={file}"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"<--configfile>\n<{file}>\n" in said.stdout
