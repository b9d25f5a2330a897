"""Collect the facts of all runs, indexes and timings into one file, which a baseline can be made of."""

from pathlib import Path

from bench.gate import facts
from bench.report import records as recorded
from bench.report.latency import read_latencies
from bench.verbs.report import Metrics, Sizes


def records(*, metrics: Metrics, sizes: Sizes, latencies: list[Path] | None = None, output: Path) -> None:
    """Collect the facts of all runs, indexes and timings into one file, which a baseline can be made of.

    :param latencies: latency.json of every timing, each of one of the runs.
    :param output: records.json to write.
    """
    found = facts.collect(recorded.read_metrics(metrics), recorded.read_sizes(sizes), read_latencies(latencies or []))
    facts.write(output, found)
    print(", ".join(f"{len(rows)} rows of {kind}" for kind, rows in found.rows.items()) + f" in {output}")
