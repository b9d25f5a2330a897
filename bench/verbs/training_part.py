"""Write a part of a training set: random queries to train on and to hold out, their passages, and random others."""

from pathlib import Path
from typing import Any

import numpy as np

from bench.config.settings import Count, Natural
from bench.corpus.texts import open_passages, open_queries, write_passages, write_queries
from bench.errors import DataError
from bench.files.provenance import context
from bench.training.triples import sample_queries


def training_part(
    *,
    corpus: Path,
    queries: Path,
    keep_queries: Count,
    hold_out: Natural = 0,
    keep_passages: Count,
    query_seed: Natural,
    seed: Natural,
    output: Path,
    output_queries: Path,
    output_held_out: Path,
) -> None:
    """Write a part of a training set: random queries to train on and to hold out, their passages, and random others.

    :param corpus: Corpus folder of the whole.
    :param queries: Query folder of the whole.
    :param keep_queries: Judged queries to keep.
    :param hold_out: Further judged queries to keep, for validation.
    :param keep_passages: Passages to keep, the relevant ones among them.
    :param query_seed: Seed of the queries, as of bench triples.
    :param seed: Seed of the other passages.
    :param output: Corpus folder to write.
    :param output_queries: Query folder to write.
    :param output_held_out: Query folder of the held-out ones to write.
    """
    whole, asked = open_passages(corpus), open_queries(queries)
    judged = [text for text in asked.texts if any(grade > 0 for grade in asked.qrels.get(text.id, {}).values())]
    if keep_queries + hold_out > len(judged):
        raise DataError(
            f"--keep-queries {keep_queries} and --hold-out {hold_out}: {queries} has {len(judged)} queries "
            "with a relevant passage"
        )
    order = sample_queries(len(judged), len(judged), query_seed)
    ends = (order[:keep_queries], order[len(order) - hold_out :])  # held-out ones are the last of the order, for any model
    kept, held_out = ([judged[number] for number in np.sort(some)] for some in ends)
    ids = whole.ids()
    needed = {passage for text in (*kept, *held_out) for passage in asked.qrels[text.id]}
    if missing := needed - set(ids):
        raise DataError(f"judged passage {min(missing)!r} is not in {corpus}")
    if not len(needed) <= keep_passages <= len(ids):
        raise DataError(
            f"--keep-passages {keep_passages} must lie between the {len(needed)} judged ones of the kept queries and "
            f"the {len(ids)} of {corpus}"
        )
    named = np.array([number for number, name in enumerate(ids) if name in needed], int)
    unnamed = np.setdiff1d(np.arange(len(ids)), named)
    others = np.random.default_rng(seed).permutation(unnamed)[: keep_passages - len(named)]
    chosen = np.sort(np.concatenate([named, others]))
    sizes = {"keep_queries": keep_queries, "hold_out": hold_out, "keep_passages": keep_passages}
    made: dict[str, Any] = {
        "settings": {**sizes, "query_seed": query_seed, "seed": seed},
        "inputs": {"corpus": whole.manifest.digest, "queries": asked.manifest.digest},
        "context": context(__name__),
    }
    for folder, texts in ((output_queries, kept), (output_held_out, held_out)):
        write_queries(folder, texts, {text.id: asked.qrels[text.id] for text in texts}, **made)
    passages = write_passages(output, whole.at(chosen.tolist()), **made)
    print(
        f"{len(kept)} queries, {len(held_out)} held out, {passages.counts['passages']} passages; "
        f"digest {passages.digest[:16]}"
    )
