"""A query set of own files: queries, and judgements that are held against them and against the collection."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.corpus.judged import Judged, gathered
from bench.corpus.own.files import Judgements, Texts, distinct
from bench.corpus.texts import Passages, Text
from bench.errors import DataError


def read(texts: Texts, judgements: Path | None, *, judged_only: bool) -> Judged:
    """Return the queries of a file with the judgements of another, all queries or those that are judged.

    Raise DataError for a judgement of a query that is not there, and for two contradictory judgements of one pair.
    """
    queries = list(distinct(texts))
    if judgements is None:
        return Judged(queries, {}, 0)
    lines = Judgements(judgements)
    found = gathered(queries, _of(queries, lines, texts.path), lambda: lines.place)
    kept = [text for text in queries if text.id in found.qrels] if judged_only else queries
    return Judged(kept, found.qrels, found.judgements)


def _of(queries: Sequence[Text], lines: Judgements, source: Path) -> Iterator[tuple[str, str, int]]:
    known = {text.id for text in queries}
    for query, passage, grade in lines:
        if query not in known:
            raise DataError(f"{lines.place} judges for the query {query!r}, which {source} lacks")
        yield query, passage, grade


def unknown_passages(found: Judged, corpus: Passages, most: float, source: str) -> int:
    """Return how many judgements are of passages that the collection lacks. Raise DataError for a share above ``most``."""
    wanted = {passage for judged in found.qrels.values() for passage in judged}
    wanted.difference_update(text.id for text in corpus.slice(0, len(corpus)) if text.id in wanted)
    pairs = [(query, passage) for query, judged in found.qrels.items() for passage in judged if passage in wanted]
    share = len(pairs) / max(sum(map(len, found.qrels.values())), 1)
    if share > most:
        query, passage = pairs[0]
        raise DataError(
            f"{source}: {len(pairs)} judgements, {share:.2%}, are of passages that the collection lacks, such as "
            f"{passage!r} of query {query!r}; unknown_passages of the config allows {most:.2%}"
        )
    return len(pairs)
