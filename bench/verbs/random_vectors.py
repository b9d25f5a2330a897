"""Write a shard of vectors of random directions, as many for each passage as another shard has."""

from pathlib import Path

import numpy as np

from bench.config.settings import Natural
from bench.evaluation.clusters import random_vectors as drawn
from bench.files.provenance import context
from bench.index.shards import open_shard, write_shard


def random_vectors(*, vectors: Path, seed: Natural, output: Path) -> None:
    """Write a shard of vectors of random directions, as many for each passage as another shard has.

    :param vectors: Shard folder that they are as many as.
    :param seed: Seed of the directions.
    :param output: Shard folder to write.
    """
    shard = open_shard(vectors)
    found = drawn(len(shard.vectors), shard.vectors.shape[1], np.random.default_rng(seed))
    inputs = {"shard": shard.manifest.digest}
    write_shard(output, found, shard.doclens, settings={"seed": seed}, inputs=inputs, context=context(__name__))
    print(f"{len(found)} random vectors of {found.shape[1]}")
