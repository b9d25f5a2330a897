"""Put a record of growth into a table and a figure."""

from pathlib import Path

from bench.files.storage import read_json
from bench.report import figures, growth
from bench.verbs.report import ReportFolder


def growth_report(*, record: Path, folder: ReportFolder) -> None:
    """Put a record of growth into a table and a figure.

    :param record: growth.json.
    """
    found = growth.frame(read_json(record))
    table = growth.table(found)
    table.write(folder / "growth")
    figures.save(growth.figure(found), folder / "figure_growth")
    print(table.shown.to_markdown(index=False, disable_numparse=True))
