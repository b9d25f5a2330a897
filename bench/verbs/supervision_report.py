"""Put folders of tuples into a table: how many, drawn how, and how far the teacher agrees with their positives."""

from pathlib import Path

from bench.report import supervision
from bench.verbs.report import ReportFolder


def supervision_report(*, tuples: list[Path], folder: ReportFolder) -> None:
    """Put folders of tuples into a table: how many, drawn how, and how far the teacher agrees with their positives.

    :param tuples: Folders of tuples.
    """
    found = supervision.table(supervision.frame(supervision.read_manifests(tuples)))
    found.write(folder / "supervision")
    print(f"{len(found.data)} rows of supervision in {folder}")
