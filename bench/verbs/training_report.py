"""Put logs of training into a table, and draw loss, learning rate and validation by step."""

from pathlib import Path

from bench.report import figures
from bench.report.training import training_frame, training_table
from bench.report.training_figure import training_curves
from bench.verbs.report import ReportFolder


def training_report(*, logs: list[Path], folder: ReportFolder) -> None:
    """Put logs of training into a table, and draw loss, learning rate and validation by step.

    :param logs: MODEL.steps.jsonl of every run.
    """
    frame = training_frame(logs)
    training_table(frame).write(folder / "table4_training")
    figures.save(training_curves(frame), folder / "figure4_training")
    print(f"{len(logs)} runs, {len(frame)} steps in {folder}")
