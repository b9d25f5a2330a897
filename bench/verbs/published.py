"""Put printed numbers beside measured ones into a table, with a verdict on each."""

from pathlib import Path

from bench.report import published as printed
from bench.report.records import read_metrics
from bench.verbs.report import Metrics, ReportFolder


def published(*, numbers: Path, metrics: Metrics, folder: ReportFolder) -> None:
    """Put printed numbers beside measured ones into a table, with a verdict on each.

    :param numbers: CSV file of printed numbers, such as results/published.csv.
    """
    found = printed.judged(printed.read(numbers), printed.Measured(read_metrics(metrics)))
    printed.published_table(found).write(folder / "published")
    print(f"{printed.counted(found)} in {folder}")
