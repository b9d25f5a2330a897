"""Split the loss of compressed runs into codec and engine, with agreement and reconstruction, as a table and a figure."""

from pathlib import Path

from bench.config.settings import Count
from bench.files.storage import read_json
from bench.report import figures, losses, losses_figure, records
from bench.verbs.report import Metrics, ReportFolder, ReportSeed, Runs, Sizes, rankings


def losses_report(
    *,
    metrics: Metrics,
    runs: Runs,
    sizes: Sizes,
    reconstructions: list[Path],
    depths: list[Count] | None = None,
    seed: ReportSeed,
    folder: ReportFolder,
) -> None:
    """Split the loss of compressed runs into codec and engine, with agreement and reconstruction, as a table and a figure.

    :param reconstructions: JSON of ``bench reconstruction`` of every model and query set.
    :param depths: Depths of the overlap; none if absent.
    """
    quality = records.read_metrics(metrics)
    rebuilt = [read_json(path) for path in reconstructions]
    frame = losses.losses_frame(
        quality, records.read_sizes(sizes), rankings(quality, runs), rebuilt, depths or (), seed=seed
    )
    losses.losses_table(frame).write(folder / "table8_loss")
    figures.save(losses_figure.loss_by_part(frame), folder / "figure8_loss")
    print(f"{len(frame)} rows of losses in {folder}")
