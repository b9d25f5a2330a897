"""Put the queries that lost most of all models and codecs into one JSON and a table."""

from pathlib import Path

from bench.files.storage import read_json, write_json
from bench.report.worst import worst_table
from bench.verbs.report import ReportFolder


def worst_report(*, worst: list[Path], folder: ReportFolder) -> None:
    """Put the queries that lost most of all models and codecs into one JSON and a table.

    worst_queries.json is the lists of ``bench worst`` one after the other.

    :param worst: JSON of ``bench worst`` of every model and query set.
    """
    rows = [row for path in worst for row in read_json(path)]
    worst_table(rows).write(folder / "worst_queries")
    write_json(folder / "worst_queries.json", rows)
    print(f"{len(rows)} queries in {folder}")
