"""Hold a run against the protocol, score it against judgements, and write all that the numbers depend on."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bench.config.settings import Count, Natural
from bench.corpus.texts import open_queries
from bench.errors import DataError
from bench.evaluation import guard, quality
from bench.evaluation.runs import open_run
from bench.files.provenance import context
from bench.files.storage import write_json
from bench.verbs.common import Deviations, pairs

RULES = f"KEY=VALUE of all that must hold of the run: {', '.join(guard.Rules.model_fields)}."


def evaluate(
    *,
    run: Path,
    queries: Path,
    measures: list[str],
    depth: Count,
    protocol: Annotated[list[str], Parameter(help=RULES)],
    deviations: Deviations = (),
    dataset: str,
    model: str,
    codec: str,
    preset: str,
    against: str | None = None,
    seed: Natural | None = None,
    output: Path,
) -> None:
    """Hold a run against the protocol, score it against judgements, and write all that the numbers depend on.

    :param run: run.trec.gz with its record run.json beside it.
    :param queries: Query folder.
    :param measures: ir_measures texts, the headline first.
    :param depth: Passages per ranking.
    :param dataset: Name of the data set in the tables.
    :param model: Name of the model in the tables.
    :param codec: Name of the codec in the tables.
    :param preset: Name of the preset in the tables.
    :param against: Model whose exhaustive search over uncompressed vectors the tables pair the run with.
    :param seed: Seed of model or codec, where there are runs of several.
    :param output: metrics.json to write.
    """
    asked = open_queries(queries)
    found, record = open_run(run)
    if record["inputs"]["queries"] != asked.manifest.digest:
        raise DataError(f"{run} was made for other queries than {queries}: search again")
    guard.check_names(run, record, model, codec)
    if strangers := sorted(set(found) - {text.id for text in asked.texts}):
        raise DataError(f"{run} has queries that {queries} lacks: {strangers[:3]}")
    rules = guard.parse(pairs("--protocol", protocol))
    guard.check(rules, found, record, asked.manifest, depth)
    measured = quality.evaluate(found, asked.qrels, measures, depth, rules.gains)
    write_json(
        output,
        {
            "dataset": dataset,
            "model": model,
            "codec": codec,
            "preset": preset,
            **({"against": against} if against else {}),
            **({"seed": seed} if seed is not None else {}),
            "mean": measured.mean,
            "measures": measures,
            "counts": measured.counts,
            "per_query": measured.per_query,
            "queries": dict(asked.manifest.settings),
            "protocol": rules.model_dump(),
            "deviations": pairs("--deviations", deviations),
            "run": record,
            "context": context(__name__),
        },
    )
    print(", ".join(f"{name} {value:.4f}" for name, value in measured.mean.items()))
