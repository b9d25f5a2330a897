"""Put the quality of all models, uncompressed, into a table of paired differences to one of them."""

from typing import Annotated

from cyclopts import Parameter

from bench.report import models, records, tables
from bench.verbs.common import Metrics, ReportFolder, ReportSeed, pairs

Starts = Annotated[tuple[str, ...], Parameter(help="MODEL=START of each trained model.")]
Seen = Annotated[tuple[str, ...], Parameter(help="MODEL=PASSAGES that each trained model saw.")]


def models_report(
    *, metrics: Metrics, baseline: str, starts: Starts = (), seen: Seen = (), seed: ReportSeed, folder: ReportFolder
) -> None:
    """Put the quality of all models, uncompressed, into a table of paired differences to one of them.

    :param baseline: Model that the others are compared with.
    """
    found = models.models_frame(records.read_metrics(metrics), baseline, seed=seed)
    counts = {model: int(count) for model, count in pairs("--seen", seen).items()}
    tables.write(folder / "table5_models", models.models_table(found, baseline, pairs("--starts", starts), counts))
    print(f"{len(found)} rows of models in {folder}")
