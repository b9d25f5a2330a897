"""Put the quality of all models, uncompressed, into a table of paired differences to one of them."""

from typing import Annotated

from cyclopts import Parameter

from bench.report import models, records
from bench.verbs.common import pairs
from bench.verbs.report import Margin, Metrics, ReportFolder, ReportSeed, margins

Starts = Annotated[tuple[str, ...], Parameter(help="MODEL=START of each trained model.")]
Seen = Annotated[tuple[str, ...], Parameter(help="MODEL=PASSAGES that each trained model saw.")]


def models_report(
    *,
    metrics: Metrics,
    baseline: str,
    starts: Starts = (),
    seen: Seen = (),
    margin: Margin = (),
    seed: ReportSeed,
    folder: ReportFolder,
) -> None:
    """Put the quality of all models, uncompressed, into a table of paired differences to one of them.

    :param baseline: Model that the others are compared with.
    """
    found = models.models_frame(records.read_metrics(metrics), baseline, seed=seed, margins=margins(margin))
    counts = {model: int(count) for model, count in pairs("--seen", seen).items()}
    table = models.models_table(found, baseline, pairs("--starts", starts), counts, margins(margin))
    table.write(folder / "table5_models")
    print(f"{len(found)} rows of models in {folder}")
