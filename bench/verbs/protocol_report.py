"""Put what the lengths cut off, short rankings and tied scores of every data set and model into a table."""

from pathlib import Path

from bench.report import records
from bench.report.protocol import protocol_frame, protocol_table
from bench.verbs.report import Metrics, ReportFolder


def protocol_report(*, truncations: list[Path], metrics: Metrics, folder: ReportFolder) -> None:
    """Put what the lengths cut off, short rankings and tied scores of every data set and model into a table.

    :param truncations: Records of truncation.
    """
    found = protocol_frame(records.read_truncations(truncations), records.read_metrics(metrics))
    protocol_table(found).write(folder / "table6_protocol")
    print(f"{len(found)} rows of protocol in {folder}")
