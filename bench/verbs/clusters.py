"""Count how many clusters hold the vectors of a token and how many tokens those of a cluster, real and random ones."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.config.settings import Count, Natural
from bench.corpus.texts import open_passages
from bench.encoder import checkpoint
from bench.errors import DataError
from bench.evaluation import clusters as counts
from bench.evaluation.clusters import Tokens
from bench.files.provenance import context
from bench.files.storage import write_json
from bench.index.parts import open_codes
from bench.index.shards import read_lengths
from bench.verbs.common import prepare_torch


def clusters(
    *,
    model: Path,
    corpus: Path,
    vectors: list[Path],
    codes: list[Path],
    random_codes: list[Path],
    examples: Count = 10,
    seed: Natural,
    output: Path,
) -> None:
    """Count how many clusters hold the vectors of a token and how many tokens those of a cluster, real and random ones.

    Passages are tokenised again, as they were encoded.

    :param model: Model folder.
    :param corpus: Corpus folder.
    :param vectors: All shards of the corpus, in order.
    :param codes: Folders of codes, one per shard.
    :param random_codes: The same of random vectors.
    :param examples: Clusters and words that are shown.
    :param seed: Seed of the choice of these.
    :param output: clusters.json to write.
    """
    prepare_torch(threads=1)
    if not len(vectors) == len(codes) == len(random_codes):
        raise DataError(f"{len(vectors)} shards have {len(codes)} files of codes and {len(random_codes)} of random ones")
    passages, (encoder, manifest) = open_passages(corpus), checkpoint.load(model)
    inputs, expected = encoder.inputs, {"corpus": passages.manifest.digest, "model": manifest.digest}
    shards = [read_lengths(folder) for folder in vectors]
    for folder, shard in zip(vectors, shards, strict=True):
        if dict(shard.manifest.inputs) != expected:
            raise DataError(f"{folder} was not encoded from {corpus} by {model}: encode it again")
    starts = np.cumsum([0, *(len(shard.doclens) for shard in shards)])
    if starts[-1] != len(passages):
        raise DataError(f"the shards hold {starts[-1]} passages, {corpus} holds {len(passages)}: one is missing")

    def tokens() -> Iterator[Tokens]:
        for number, shard in enumerate(shards):
            texts = [text.text for text in passages.slice(int(starts[number]), int(starts[number + 1]))]
            yield counts.tokenised(inputs, texts, shard.doclens, shard.manifest.settings["doc_maxlen"])

    def coded(files: list[Path]) -> Iterator[tuple[np.ndarray, Tokens]]:
        for path, found in zip(files, tokens(), strict=True):
            code = open_codes(path).array
            if len(code) != len(found.places):
                raise DataError(f"{path} has {len(code)} codes, but its shard has {len(found.places)} vectors")
            yield counts.keys(code, found.ids[found.places]), found

    real, random = (counts.counted(keys for keys, _ in coded(files)) for files in (codes, random_codes))
    rng = np.random.default_rng(seed)
    chosen, words = counts.some_clusters(real, examples, rng), counts.some_words(real, inputs, examples, rng)
    rows = list(counts.described(real, inputs, chosen, words))
    texts = counts.contexts([key for key, _ in rows], inputs, coded(codes))
    shown = [{**row, "context": texts[key]} for key, row in rows]
    of_real, of_random = counts.distribution(real), counts.distribution(random)
    record = {
        "corpus": corpus.parent.name,
        "model": model.name,
        "counts": {"passages": len(passages), "vectors": int(real.counts.sum())},
        "real": of_real,
        "random": of_random,
        "examples": {
            "clusters": [row for row in shown if "token" not in row],
            "tokens": [row for row in shown if "token" in row],
        },
        "settings": {"examples": examples, "seed": seed},
        "inputs": expected,
        "context": context(__name__),
    }
    write_json(output, record)
    print(
        f"{real.counts.sum()} vectors of {of_real['tokens']} tokens in {of_real['clusters']} clusters, random ones in "
        f"{of_random['clusters']}"
    )
