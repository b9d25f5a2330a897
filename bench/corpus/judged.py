"""Queries and judgements of a query set: reading them from ir_datasets, verification and selection of a subset."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.corpus import registry
from bench.corpus.texts import Qrels, Text
from bench.errors import DataError


@dataclass(frozen=True)
class Judged:
    """A query set. texts: queries in file order; qrels: grades by query and passage; judgements: count of lines read."""

    texts: Sequence[Text]
    qrels: Qrels
    judgements: int


def read(dataset_id: str, without: str | None = None) -> Judged:
    """Return a query set without the queries of the query set ``without``.

    Raise DataError for a judgement of a query that is not in the set, and for two contradictory judgements of one pair.
    """
    dataset = registry.load(dataset_id)
    left_out = {query.query_id for query in registry.load(without).queries_iter()} if without else set()
    everything = [Text(query.query_id, query.default_text()) for query in dataset.queries_iter()]
    texts = [text for text in everything if text.id not in left_out]
    lines = ((line.query_id, line.doc_id, line.relevance) for line in dataset.qrels_iter() if line.query_id not in left_out)
    return gathered(texts, lines, lambda: dataset_id)


def gathered(texts: Sequence[Text], lines: Iterable[tuple[str, str, int]], place: Callable[[], str]) -> Judged:
    """Return queries with their judgements: lines of query id, passage id and grade; ``place`` tells where the last is.

    Raise DataError for a judgement of a query that is not in the set, and for two contradictory judgements of one pair.
    """
    qrels: Qrels = {}
    judgements = 0
    for query, passage, grade in lines:
        first = qrels.setdefault(query, {}).setdefault(passage, grade)
        judgements += 1
        if first != grade:
            raise DataError(f"{place()} judges passage {passage!r} for query {query!r} as {first} and as {grade}")
    if unknown := sorted(set(qrels) - {text.id for text in texts}):
        raise DataError(f"{place()} has judgements for queries that it lacks: {unknown[:3]}")
    return Judged(texts, qrels, judgements)


def check(found: Judged, dataset_id: str, queries: int, judgements: int, grades: Collection[int]) -> None:
    """Raise DataError if a query set has counts other than in the protocol, or grades that are not in the protocol."""
    for what, here, wanted in (("queries", len(found.texts), queries), ("judgements", found.judgements, judgements)):
        if here != wanted:
            raise DataError(f"{dataset_id} has {here} {what} here, the protocol says {wanted}: another version of the data")
    if strange := sorted({grade for judged in found.qrels.values() for grade in judged.values()} - set(grades)):
        raise DataError(f"{dataset_id} has the grades {strange}, the protocol knows {sorted(grades)}")


def kept(found: Judged, dataset_id: str, sample: int | None, seed: int, ids: Sequence[str] | None) -> Judged:
    """Return the queries with the given ``ids``, or a random sample if ``ids`` is None, or all if ``sample`` is None."""
    if sample is None:
        return found
    return drawn(found, dataset_id, sample, seed) if ids is None else named(found, dataset_id, ids, sample)


def drawn(found: Judged, dataset_id: str, count: int, seed: int) -> Judged:
    """Return a seeded random sample of ``count`` judged queries, in file order. Raise DataError if there are fewer."""
    judged = [text.id for text in found.texts if text.id in found.qrels]
    if count > len(judged):
        raise DataError(f"sample of {count} asked for, but {dataset_id} has {len(judged)} judged queries")
    chosen = np.random.default_rng(seed).choice(len(judged), count, replace=False)
    return _only(found, {judged[position] for position in chosen})


def named(found: Judged, dataset_id: str, ids: Sequence[str], count: int) -> Judged:
    """Return the queries with the given ids in file order. Raise DataError unless they are ``count`` judged queries."""
    if repeated := sorted(name for name, times in Counter(ids).items() if times > 1):
        raise DataError(f"ids that stand twice in the list for {dataset_id}: {repeated[:3]}")
    if unknown := sorted(set(ids) - set(found.qrels)):
        raise DataError(f"{dataset_id} has no judged query with these ids of the list: {unknown[:3]}")
    if len(ids) != count:
        raise DataError(f"the list for {dataset_id} has {len(ids)} ids, the sample is {count}")
    return _only(found, set(ids))


def read_ids(path: Path) -> list[str]:
    """Return the ids in a file with one id per line. Raise DataError if the file is missing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise DataError(f"{path}, the list of queries to keep, is missing: one id a line belongs there") from error
    return [line.strip() for line in lines if line.strip()]


def _only(found: Judged, ids: Collection[str]) -> Judged:
    texts = [text for text in found.texts if text.id in ids]
    return Judged(texts, {text.id: found.qrels[text.id] for text in texts}, found.judgements)
