"""Make training triples: seeded queries, their relevant passage and hard negatives of BM25; or pairs of ir_datasets."""

import itertools
from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from bench.corpus import registry
from bench.corpus.texts import Passages, Queries, open_passages, open_queries
from bench.errors import DataError, SettingsError
from bench.index.ids import id_ranks
from bench.search.lexical import BM25
from bench.training.triples import Triple, draw_negatives, sample_queries, write_triples
from bench.training.tuples import read_docpairs
from bench.verbs import common

DRAWN = ("negatives", "mining_depth", "query_seed", "seed")


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder")
    parser.add_argument("--queries", type=Path, required=True, help="query folder")
    parser.add_argument("--count", type=int, required=True, help="triples to write: steps times batch")
    parser.add_argument("--docpairs", help="ir_datasets id whose first pairs to take, in place of what follows")
    for name, text in (
        ("--negatives", "hard negatives per triple"),
        ("--mining-depth", "rank in BM25 down to which they are drawn"),
        ("--query-seed", "seed of the queries; the same one gives the same queries, here and in training-part"),
        ("--seed", "seed of the negatives"),
    ):
        parser.add_argument(name, type=int, help=text)
    common.add_output(parser, "file of triples to write")


def run(args: Namespace) -> None:
    drawn = {f"--{name.replace('_', '-')}": getattr(args, name) for name in DRAWN}
    wrong = sorted(flag for flag, value in drawn.items() if (value is None) != (args.docpairs is not None))
    if wrong:
        raise SettingsError(f"{', '.join(wrong)} and --docpairs of the command line: give either --docpairs, or all others")
    corpus, queries = open_passages(args.corpus), open_queries(args.queries)
    rows, text = _from_docpairs(args, corpus, queries) if args.docpairs else _from_bm25(args, corpus, queries)
    write_triples(args.output, rows, {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest})
    print(f"{len(rows)} triples {text}")


def _from_docpairs(args: Namespace, corpus: Passages, queries: Queries) -> tuple[list[Triple], str]:
    dataset = registry.load(args.docpairs)
    if not dataset.has_docpairs():
        raise DataError(f"--docpairs {args.docpairs}: ir_datasets has no pairs of passages there")
    position = {name: number for number, name in enumerate(corpus.ids())}
    query = {text.id: number for number, text in enumerate(queries.texts)}
    pairs = read_docpairs(
        itertools.islice(dataset.docpairs_iter(), args.count), args.docpairs, queries=query, passages=position
    )
    rows = [Triple(query[row.query], position[row.passages[0]], (position[row.passages[1]],)) for row in pairs]
    if len(rows) < args.count:
        raise DataError(f"--count {args.count} asks for more than the {len(rows)} pairs of {args.docpairs}")
    return rows, f"of {args.docpairs}"


def _from_bm25(args: Namespace, corpus: Passages, queries: Queries) -> tuple[list[Triple], str]:
    texts = list(corpus.slice(0, len(corpus)))
    position = {text.id: number for number, text in enumerate(texts)}
    relevant = [_relevant(queries.qrels.get(query.id, {}), position) for query in queries.texts]
    judged = [number for number, found in enumerate(relevant) if found]
    chosen = [judged[number] for number in sample_queries(len(judged), args.count, args.query_seed)]
    engine = BM25([text.text for text in texts])
    depth = args.mining_depth + max(map(len, relevant))
    rankings = engine.search([queries.texts[number].text for number in chosen], depth, id_ranks(list(position)))
    rng = np.random.default_rng(args.seed)
    negatives = draw_negatives(rankings, [relevant[number] for number in chosen], args.negatives, len(texts), rng)
    rows = [Triple(query, min(relevant[query]), found) for query, found in zip(chosen, negatives, strict=True)]
    return rows, f"with {args.negatives} hard negatives each, from {len(judged)} judged queries"


def _relevant(judged: dict[str, int], position: dict[str, int]) -> set[int]:
    if missing := [passage for passage, grade in judged.items() if grade > 0 and passage not in position]:
        raise DataError(f"relevant passage {missing[0]!r} is not in the training collection")
    return {position[passage] for passage, grade in judged.items() if grade > 0}
