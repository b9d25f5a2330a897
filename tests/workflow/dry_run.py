"""Dry runs in processes that have loaded Snakemake already, and nothing of the source tree that they plan with."""

import multiprocessing
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess

LOADED = ("snakemake.cli", "snakemake.report", "numpy", "pydantic", "ir_measures", "pytest")
SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload([__name__, *LOADED])


def dry_run(
    words: Sequence[str], root: Path, environment: dict[str, str], work: Path
) -> tuple[CompletedProcess[str], float]:
    """What ``snakemake`` prints with these words in that folder, and the seconds of CPU that it took."""
    process = SERVER.Process(target=_snakemake, args=(words, root, environment, work))
    process.start()
    process.join()
    printed, errors, seconds = ((work / name).read_text() for name in ("stdout", "stderr", "seconds"))
    return CompletedProcess(list(words), process.exitcode, printed, errors), float(seconds)


def _snakemake(words: Sequence[str], root: Path, environment: dict[str, str], work: Path) -> None:
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(work / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(root)
    sys.argv = ["snakemake", *words]
    sys.path[:] = [place for place in sys.path if not (Path(place) / "bench").exists()]
    from snakemake.cli import main

    try:
        main()
    finally:
        used = resource.getrusage(resource.RUSAGE_SELF)
        (work / "seconds").write_text(str(used.ru_utime + used.ru_stime))
