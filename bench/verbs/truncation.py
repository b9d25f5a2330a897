"""Count what the lengths of passages and queries cut off, of the whole collection and of what is relevant in it."""

from pathlib import Path

import numpy as np

from bench.corpus.texts import open_passages, open_queries
from bench.errors import DataError
from bench.evaluation.truncation import account
from bench.files.storage import write_json
from bench.index.shards import read_lengths
from bench.search.queries import open_query_vectors


def truncation(
    *, corpus: Path, vectors: list[Path], queries: Path, query_vectors: Path, dataset: str, model: str, output: Path
) -> None:
    """Count what the lengths of passages and queries cut off, of the whole collection and of what is relevant in it.

    :param corpus: Corpus folder.
    :param vectors: All shards of the corpus, in order.
    :param queries: Query folder.
    :param query_vectors: Folder of the vectors of these queries.
    :param dataset: Name of the data set in the tables.
    :param model: Name of the model in the tables.
    :param output: truncation.json to write.
    """
    passages, asked, encoded = open_passages(corpus), open_queries(queries), open_query_vectors(query_vectors)
    shards = [read_lengths(folder) for folder in vectors]
    inputs = {
        "corpus": passages.manifest.digest,
        "queries": asked.manifest.digest,
        "model": encoded.manifest.inputs["model"],
    }
    for shard in shards:
        if {**inputs, **shard.manifest.inputs, **encoded.manifest.inputs} != inputs:
            raise DataError(f"shards and query vectors of {output} were not made from these texts by one model")
    doclens = np.concatenate([shard.doclens for shard in shards])
    if len(doclens) != len(passages):
        raise DataError(f"the shards of {output} hold {len(doclens)} passages, the corpus {len(passages)}: one is missing")
    wanted = {passage for judged in asked.qrels.values() for passage, grade in judged.items() if grade > 0}
    places = [place for place, text in enumerate(passages.slice(0, len(passages))) if text.id in wanted]
    lengths = {shard.manifest.settings["doc_maxlen"] for shard in shards}
    if len(lengths) != 1:
        raise DataError(f"the shards of {output} were cut at different lengths: {sorted(lengths)}")
    doc_maxlen = lengths.pop()
    counts = {
        **account(doclens, np.concatenate([shard.uncut for shard in shards]), doc_maxlen, np.array(places, int)),
        "relevant_absent": len(wanted) - len(places),
        "queries": encoded.manifest.counts["queries"],
        "queries_cut": encoded.manifest.counts["cut"],
    }
    record = {
        "dataset": dataset,
        "model": model,
        "template": passages.manifest.settings["template"],
        "doc_maxlen": doc_maxlen,
        "query_maxlen": encoded.manifest.settings["query_maxlen"],
        "counts": counts,
        "inputs": inputs,
    }
    write_json(output, record)
    print(
        f"at {doc_maxlen} tokens {counts['passages_cut']} of {counts['passages']} passages are cut, "
        f"{counts['relevant_cut']} of {counts['relevant']} relevant ones; "
        f"{counts['queries_cut']} of {counts['queries']} queries"
    )
