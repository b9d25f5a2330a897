"""Draw training triples: seeded queries, their relevant passage, and hard negatives from the top of BM25."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from bench.corpus.texts import open_passages, open_queries
from bench.errors import DataError
from bench.index.ids import id_ranks
from bench.search.lexical import BM25
from bench.training.triples import Triple, draw_negatives, sample_queries, write_triples
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder")
    parser.add_argument("--queries", type=Path, required=True, help="query folder")
    parser.add_argument("--count", type=int, required=True, help="triples to write: steps times batch")
    parser.add_argument("--negatives", type=int, required=True, help="hard negatives per triple")
    parser.add_argument("--mining-depth", type=int, required=True, help="rank in BM25 down to which they are drawn")
    parser.add_argument("--seed", type=int, required=True, help="seed of queries and negatives")
    common.add_output(parser, "file of triples to write")


def run(args: Namespace) -> None:
    corpus, queries = open_passages(args.corpus), open_queries(args.queries)
    texts = list(corpus.slice(0, len(corpus)))
    position = {text.id: number for number, text in enumerate(texts)}
    relevant = [_relevant(queries.qrels.get(query.id, {}), position) for query in queries.texts]
    judged = [number for number, found in enumerate(relevant) if found]
    rng = np.random.default_rng(args.seed)
    chosen = [judged[number] for number in sample_queries(len(judged), args.count, rng)]
    engine = BM25([text.text for text in texts])
    depth = args.mining_depth + max(map(len, relevant))
    rankings = engine.search([queries.texts[number].text for number in chosen], depth, id_ranks(list(position)))
    negatives = draw_negatives(rankings, [relevant[number] for number in chosen], args.negatives, len(texts), rng)
    rows = [Triple(query, min(relevant[query]), found) for query, found in zip(chosen, negatives, strict=True)]
    write_triples(args.output, rows, {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest})
    print(f"{len(rows)} triples with {args.negatives} hard negatives each, from {len(judged)} judged queries")


def _relevant(judged: dict[str, int], position: dict[str, int]) -> set[int]:
    if missing := [passage for passage, grade in judged.items() if grade > 0 and passage not in position]:
        raise DataError(f"relevant passage {missing[0]!r} is not in the training collection")
    return {position[passage] for passage, grade in judged.items() if grade > 0}
