"""Make training triples: seeded queries, their relevant passage and hard negatives of BM25; or pairs of ir_datasets."""

import itertools
from pathlib import Path

import numpy as np

from bench.config.settings import Count, Natural
from bench.corpus import registry
from bench.corpus.texts import Passages, Queries, open_passages, open_queries
from bench.errors import DataError, SettingsError
from bench.index.ids import id_ranks
from bench.search.lexical import BM25
from bench.training.triples import Triple, draw_negatives, sample_queries, write_triples
from bench.training.tuples import read_docpairs


def triples(
    *,
    corpus: Path,
    queries: Path,
    count: Count,
    docpairs: str | None = None,
    negatives: Natural | None = None,
    mining_depth: Count | None = None,
    query_seed: Natural | None = None,
    seed: Natural | None = None,
    output: Path,
) -> None:
    """Make training triples: seeded queries, their relevant passage and hard negatives of BM25; or pairs of ir_datasets.

    :param corpus: Corpus folder.
    :param queries: Query folder.
    :param count: Triples to write: steps times batch.
    :param docpairs: ir_datasets id whose first pairs to take, in place of the flags of negatives and seeds.
    :param negatives: Hard negatives per triple.
    :param mining_depth: Rank in BM25 down to which they are drawn.
    :param query_seed: Seed of the queries; the same one gives the same queries, here and in training-part.
    :param seed: Seed of the negatives.
    :param output: File of triples to write.
    """
    passages, asked = open_passages(corpus), open_queries(queries)
    drawn = (negatives, mining_depth, query_seed, seed)
    if docpairs is not None and drawn == (None,) * 4:
        rows, text = _from_docpairs(docpairs, count, passages, asked), f"of {docpairs}"
    elif (
        docpairs is None
        and negatives is not None
        and mining_depth is not None
        and query_seed is not None
        and seed is not None
    ):
        rows, judged = _from_bm25(passages, asked, count, negatives, mining_depth, query_seed, seed)
        text = f"with {negatives} hard negatives each, from {judged} judged queries"
    else:
        raise SettingsError(
            "give either --docpairs of the command line, or all of --negatives, --mining-depth, --query-seed and --seed"
        )
    write_triples(output, rows, {"corpus": passages.manifest.digest, "queries": asked.manifest.digest})
    print(f"{len(rows)} triples {text}")


def _from_docpairs(docpairs: str, count: int, corpus: Passages, queries: Queries) -> list[Triple]:
    dataset = registry.load(docpairs)
    if not dataset.has_docpairs():
        raise DataError(f"--docpairs {docpairs}: ir_datasets has no pairs of passages there")
    position = {name: number for number, name in enumerate(corpus.ids())}
    query = {text.id: number for number, text in enumerate(queries.texts)}
    pairs = read_docpairs(itertools.islice(dataset.docpairs_iter(), count), docpairs, queries=query, passages=position)
    rows = [Triple(query[row.query], position[row.passages[0]], (position[row.passages[1]],)) for row in pairs]
    if len(rows) < count:
        raise DataError(f"--count {count} asks for more than the {len(rows)} pairs of {docpairs}")
    return rows


def _from_bm25(
    corpus: Passages, queries: Queries, count: int, negatives: int, mining_depth: int, query_seed: int, seed: int
) -> tuple[list[Triple], int]:
    """Triples, and the number of judged queries that they are drawn from."""
    texts = list(corpus.slice(0, len(corpus)))
    position = {text.id: number for number, text in enumerate(texts)}
    relevant = [_relevant(queries.qrels.get(query.id, {}), position) for query in queries.texts]
    judged = [number for number, found in enumerate(relevant) if found]
    chosen = [judged[number] for number in sample_queries(len(judged), count, query_seed)]
    engine = BM25([text.text for text in texts])
    depth = mining_depth + max(map(len, relevant))
    rankings = engine.search([queries.texts[number].text for number in chosen], depth, id_ranks(list(position)))
    wanted = [relevant[number] for number in chosen]
    found = draw_negatives(rankings, wanted, negatives, len(texts), np.random.default_rng(seed))
    return [Triple(query, min(relevant[query]), others) for query, others in zip(chosen, found, strict=True)], len(judged)


def _relevant(judged: dict[str, int], position: dict[str, int]) -> set[int]:
    if missing := [passage for passage, grade in judged.items() if grade > 0 and passage not in position]:
        raise DataError(f"relevant passage {missing[0]!r} is not in the training collection")
    return {position[passage] for passage, grade in judged.items() if grade > 0}
