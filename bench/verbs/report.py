"""Flags of the verbs that write tables and figures."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bench.config.settings import Natural
from bench.errors import DataError, SettingsError
from bench.evaluation.runs import Run, open_run
from bench.report.records import Record
from bench.report.seeds import Key, key_of
from bench.verbs.common import pairs

Metrics = Annotated[list[Path], Parameter(help="metrics.json of every run.")]
Sizes = Annotated[list[Path], Parameter(help="size.json of every index.")]
Runs = Annotated[list[Path], Parameter(help="run.trec.gz of each record of quality, in the same order.")]
Margin = Annotated[
    tuple[str, ...], Parameter(help="MEASURE=DIFFERENCE: the largest mean difference in a measure that does not matter.")
]
ReportSeed = Annotated[Natural, Parameter(help="Seed of intervals and tests.")]
ReportFolder = Annotated[Path, Parameter(name="--output", help="Folder of the tables and figures.")]


def margins(given: Sequence[str]) -> dict[str, float]:
    """Return the margin of each measure; raises SettingsError for one that is no finite number above 0."""
    found = {}
    for measure, text in pairs("--margin", given).items():
        try:
            found[measure] = float(text)
        except ValueError:
            found[measure] = math.nan
        if not (math.isfinite(found[measure]) and found[measure] > 0):
            raise SettingsError(f"--margin {measure}={text} of the command line is no finite number above 0")
    return found


def rankings(metrics: Sequence[Record], runs: Sequence[Path]) -> dict[Key, Run]:
    """Return the rankings of each record of quality; raises SettingsError unless there are as many runs as records, and
    DataError for a run that is not the one that was evaluated."""
    if len(metrics) != len(runs):
        raise SettingsError(f"--runs gives {len(runs)} runs for {len(metrics)} records of quality: give one for each")
    found = {key_of(record): (path, *open_run(path)) for record, path in zip(metrics, runs, strict=True)}
    for record, (path, _, made) in zip(metrics, found.values(), strict=True):
        if record["run"].get("digest") != made.get("digest"):
            raise DataError(f"{path} is not the run of the record {'/'.join(map(str, key_of(record)))}: evaluate it again")
    return {key: run for key, (_, run, _) in found.items()}
