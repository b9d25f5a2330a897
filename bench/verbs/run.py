"""Run the workflow of a config in the current folder: tables, figures and the report go to results."""

import subprocess
import sys
from pathlib import Path

from bench.config.plan import load
from bench.config.settings import Count, Natural
from bench.files.shipped import WORKFLOW, config_path, shipped

PROGRAM = "snakemake"


def run(
    config: Path,
    *targets: str,
    cores: Count | None = None,
    gpus: Natural = 1,
    dry_run: bool = False,
    unlock: bool = False,
) -> int:
    """Run the workflow of a config in the current folder: tables, figures and the report go to results.

    :param config: Config file; one that comes with the package, such as quick.yaml, where there is none of the name here.
    :param targets: Files or targets to make, such as table4; all of the config if absent.
    :param cores: Cores to use; all if absent.
    :param gpus: Devices to use, where the config asks for any.
    :param dry_run: Only print what would run.
    :param unlock: Only let the next run go on, after a run that was killed.
    """
    chosen, home = config_path(config), shipped()
    load(chosen, home / "config" / "datasets.yaml")  # what is wrong with it is said in one line, before anything starts
    words = ["--snakefile", str(home / WORKFLOW), *targets, "--cores", str(cores or "all"), "--resources", f"gpu={gpus}"]
    words += ["--dry-run"] * dry_run + ["--unlock"] * unlock + ["--configfile", str(chosen)]
    return subprocess.run([sys.executable, "-m", PROGRAM, *words], check=False).returncode
