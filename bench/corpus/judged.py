"""Queries and judgements of a query set as ir_datasets gives them, and which of them are kept."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.corpus import registry
from bench.corpus.texts import Qrels, Text
from bench.errors import DataError


@dataclass(frozen=True)
class Judged:
    """texts: all queries, in file order; qrels: grades by query and passage; judgements: lines that these stand in."""

    texts: Sequence[Text]
    qrels: Qrels
    judgements: int


def read(dataset_id: str, without: str | None = None) -> Judged:
    """A query set less the queries that ``without`` has.

    Raises DataError for a judgement of a query that the set lacks, and for two judgements that contradict each other.
    """
    dataset = registry.load(dataset_id)
    left_out = {query.query_id for query in registry.load(without).queries_iter()} if without else set()
    everything = [Text(query.query_id, query.default_text()) for query in dataset.queries_iter()]
    texts = [text for text in everything if text.id not in left_out]
    qrels: Qrels = {}
    judgements = 0
    for line in dataset.qrels_iter():
        if line.query_id in left_out:
            continue
        grade = qrels.setdefault(line.query_id, {}).setdefault(line.doc_id, line.relevance)
        judgements += 1
        if grade != line.relevance:
            raise DataError(
                f"{dataset_id} judges passage {line.doc_id!r} for query {line.query_id!r} as {grade} and as {line.relevance}"
            )
    if unknown := sorted(set(qrels) - {text.id for text in texts}):
        raise DataError(f"{dataset_id} has judgements for queries that it lacks: {unknown[:3]}")
    return Judged(texts, qrels, judgements)


def check(found: Judged, dataset_id: str, queries: int, judgements: int, grades: Collection[int]) -> None:
    """Raise DataError where a query set is not the one that the protocol counts."""
    for what, here, wanted in (("queries", len(found.texts), queries), ("judgements", found.judgements, judgements)):
        if here != wanted:
            raise DataError(f"{dataset_id} has {here} {what} here, the protocol says {wanted}: another version of the data")
    if strange := sorted({grade for judged in found.qrels.values() for grade in judged.values()} - set(grades)):
        raise DataError(f"{dataset_id} has the grades {strange}, the protocol knows {sorted(grades)}")


def drawn(found: Judged, dataset_id: str, count: int, seed: int) -> Judged:
    """``count`` of the judged queries, drawn at random, in file order."""
    judged = [text.id for text in found.texts if text.id in found.qrels]
    if count > len(judged):
        raise DataError(f"sample of {count} asked for, but {dataset_id} has {len(judged)} judged queries")
    chosen = np.random.default_rng(seed).choice(len(judged), count, replace=False)
    return _only(found, {judged[position] for position in chosen})


def named(found: Judged, dataset_id: str, ids: Sequence[str], count: int) -> Judged:
    """The queries with the given ids, in file order, which must be ``count`` judged ones."""
    if repeated := sorted(name for name, times in Counter(ids).items() if times > 1):
        raise DataError(f"ids that stand twice in the list for {dataset_id}: {repeated[:3]}")
    if unknown := sorted(set(ids) - set(found.qrels)):
        raise DataError(f"{dataset_id} has no judged query with these ids of the list: {unknown[:3]}")
    if len(ids) != count:
        raise DataError(f"the list for {dataset_id} has {len(ids)} ids, the sample is {count}")
    return _only(found, set(ids))


def read_ids(path: Path) -> list[str]:
    """One id a line; raises DataError where the file is missing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"{path}, the list of queries to keep, is missing: one id a line belongs there") from error
    return [line.strip() for line in lines if line.strip()]


def _only(found: Judged, ids: Collection[str]) -> Judged:
    texts = [text for text in found.texts if text.id in ids]
    return Judged(texts, {text.id: found.qrels[text.id] for text in texts}, found.judgements)
