"""Search a corpus with BM25, the lexical baseline, and write a run in TREC format."""

from pathlib import Path

from bench.config.datasets import SelfMatch
from bench.config.settings import Count
from bench.corpus.texts import open_passages, open_queries
from bench.evaluation.runs import Run, save
from bench.files.provenance import context
from bench.index.ids import id_ranks
from bench.search.lexical import BM25, K1, B
from bench.search.ranking import check_self_match, results


def bm25(*, corpus: Path, queries: Path, depth: Count, self_match: SelfMatch = "none", output: Path) -> None:
    """Search a corpus with BM25, the lexical baseline, and write a run in TREC format.

    :param corpus: Corpus folder.
    :param queries: Query folder.
    :param depth: Passages per ranking.
    :param self_match: Whether a query's own passage is dropped or refused.
    :param output: run.trec.gz to write; its record goes beside it, as run.json.
    """
    passages, asked = open_passages(corpus), open_queries(queries)
    texts = list(passages.slice(0, len(passages)))
    ids = [text.id for text in texts]
    check_self_match(self_match, [query.id for query in asked.texts], ids)
    engine = BM25([text.text for text in texts])
    rankings = engine.search([text.text for text in asked.texts], depth + 1, id_ranks(ids))
    found: Run = {}
    removed = 0
    for query, ranking in zip(asked.texts, rankings, strict=True):
        found[query.id], dropped = results(ranking, ids, query.id, depth, self_match)
        removed += dropped
    record = {
        "settings": {"engine": "bm25", "k1": K1, "b": B, "depth": depth, "self_match": self_match},
        "inputs": {"corpus": passages.manifest.digest, "queries": asked.manifest.digest},
        "corpus": {"counts": dict(passages.manifest.counts), **passages.manifest.settings},
        "counts": {"queries": len(found), "self_matches": removed},
        "context": context(__name__),
    }
    save(output, found, "bm25", record)
    print(f"{len(found)} queries, {sum(map(len, found.values()))} results; {removed} self-matches removed")
