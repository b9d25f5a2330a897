"""Write the queries and judgements of a query set: all of them, a seeded sample, or those of a list."""

from pathlib import Path

from bench.config.settings import Count, Natural
from bench.corpus import downloads, judged
from bench.corpus.texts import write_queries
from bench.errors import SettingsError
from bench.files.provenance import context
from bench.files.storage import digest_of


def queries(
    *,
    dataset: str,
    without: str | None = None,
    queries: Count,
    judgements: Count,
    grades: list[int],
    sample: Count | None = None,
    seed: Natural = 0,
    ids: Path | None = None,
    output: Path,
) -> None:
    """Write the queries and judgements of a query set: all of them, a seeded sample, or those of a list.

    :param dataset: ir_datasets id of the query set.
    :param without: ir_datasets id of queries to leave out.
    :param queries: Queries that it must have.
    :param judgements: Judgements that it must have.
    :param grades: Grades that it may have.
    :param sample: Queries to keep, drawn at random from the judged ones; all if absent.
    :param seed: Seed of the sample.
    :param ids: File with the ids of the sample, one a line, instead of drawing it.
    :param output: Query folder to write.
    """
    if ids is not None and sample is None:
        raise SettingsError("--ids of the command line needs --sample, the number of ids that the list must have")
    with downloads.explained(dataset, *([without] if without else [])):
        found = judged.read(dataset, without)
    judged.check(found, dataset, queries, judgements, grades)
    named = judged.read_ids(ids) if ids is not None else None
    if named is not None and sample is not None:
        found = judged.named(found, dataset, named, sample)
    elif sample is not None:
        found = judged.drawn(found, dataset, sample, seed)
    settings = {
        "dataset": dataset,
        "without": without,
        "queries": queries,
        "judgements": judgements,
        "sample": sample,
        "seed": seed if sample and named is None else None,
        "ids": digest_of(named) if named is not None else None,
    }
    manifest = write_queries(output, found.texts, found.qrels, settings=settings, context=context(__name__))
    counts = manifest.counts
    print(f"{dataset}: {counts['queries']} queries, {counts['judgements']} judgements; digest {manifest.digest[:16]}")
