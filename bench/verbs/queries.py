"""Write the queries and judgements of a query set: all of them, a seeded sample, or those of a list."""

from pathlib import Path

from bench.config.settings import Count, Natural
from bench.corpus import downloads, judged
from bench.corpus.judged import Judged
from bench.corpus.own import judged as own
from bench.corpus.own.files import Texts
from bench.corpus.own.tables import digests
from bench.corpus.texts import open_passages, write_queries
from bench.errors import SettingsError
from bench.files.provenance import context
from bench.files.storage import digest_of


def queries(
    *,
    dataset: str,
    without: str | None = None,
    queries: Count,
    judgements: Natural,
    grades: tuple[int, ...] = (),
    sample: Count | None = None,
    seed: Natural = 0,
    ids: Path | None = None,
    file: Path | None = None,
    query_id: str | None = None,
    query_template: str = "{text}",
    judged_by: Path | None = None,
    judged_only: bool = False,
    unknown_passages: float = 0.0,
    corpus: Path | None = None,
    output: Path,
) -> None:
    """Write the queries and judgements of a query set: all of them, a seeded sample, or those of a list.

    :param dataset: ir_datasets id of the query set, or the name of own data.
    :param without: ir_datasets id of queries to leave out.
    :param queries: Queries that it must have.
    :param judgements: Judgements that it must have, 0 where there are none.
    :param grades: Grades that it may have.
    :param sample: Queries to keep, drawn at random from the judged ones; all if absent.
    :param seed: Seed of the sample.
    :param ids: File with the ids of the sample, one a line, instead of drawing it.
    :param file: File of own queries to read instead.
    :param query_id: Column of it with the id; _id or id if absent.
    :param query_template: Text of a query by its columns.
    :param judged_by: File of own judgements; none if absent.
    :param judged_only: Leave out queries that it does not judge.
    :param unknown_passages: Largest share of its judgements whose passage may be missing from the collection.
    :param corpus: Corpus folder that its judgements are held against.
    :param output: Query folder to write.
    """
    if ids is not None and sample is None:
        raise SettingsError("--ids of the command line needs --sample, the number of ids that the list must have")
    counted = {}
    if file is not None:
        found = own.read(Texts(file, query_template, query_id), judged_by, judged_only=judged_only)
        counted = _unknown(found, judged_by, corpus, unknown_passages)
    else:
        with downloads.explained(dataset, *([without] if without else [])):
            found = judged.read(dataset, without)
    judged.check(found, dataset, queries, judgements, grades)
    named = judged.read_ids(ids) if ids is not None else None
    found = judged.kept(found, dataset, sample, seed, named)
    settings = {
        "dataset": dataset,
        "without": without,
        "queries": queries,
        "judgements": judgements,
        "sample": sample,
        "seed": seed if sample and named is None else None,
        "ids": digest_of(named) if named is not None else None,
    }
    settings |= counted
    read = digests(queries=file, judgements=judged_by)
    manifest = write_queries(output, found.texts, found.qrels, settings=settings, inputs=read, context=context(__name__))
    counts = manifest.counts
    print(f"{dataset}: {counts['queries']} queries, {counts['judgements']} judgements; digest {manifest.digest[:16]}")


def _unknown(found: Judged, judged_by: Path | None, corpus: Path | None, most: float) -> dict[str, int]:
    """Return how many judgements are of passages that are not there, by the name of the setting that allows them."""
    if judged_by is None:
        return {}
    if corpus is None:
        raise SettingsError(
            f"--judged-by {judged_by} of the command line needs --corpus, to know the passages that are judged"
        )
    return {"unknown_passages": own.unknown_passages(found, open_passages(corpus), most, str(judged_by))}
