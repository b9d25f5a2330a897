"""A small index on disk, for the tests of index, search and evaluation."""

import numpy as np
import pytest

from bench.codec import kmeans
from bench.codec.fitting import fit_residual
from bench.codec.nearest import assign
from bench.index.build import build_compressed, build_uncompressed
from bench.index.index import open_index
from bench.index.shards import open_shard, write_shard

KERNELS = ("cpu", "reference")  # those that run on every machine


def random_shards(folder, passages, vocabulary=None):
    """Shards of as many passages as each number says, of 1 to 8 random unit vectors of dim 16, perhaps with token ids."""
    rng = np.random.default_rng(0)
    opened = []
    for number, count in enumerate(passages):
        doclens = rng.integers(1, 9, count)
        vectors = rng.standard_normal((doclens.sum(), 16))
        tokens = None if vocabulary is None else np.arange(len(vectors), dtype=np.uint16) * 7 % vocabulary
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        write_shard(folder / f"shard-{number}", unit, doclens, tokens=tokens)
        opened.append(open_shard(folder / f"shard-{number}"))
    return opened


@pytest.fixture(scope="session")
def small_index():
    """A function that builds an index in ``folder / "index"`` from random or given vectors and opens it.

    nbits None is fp16, and a given codec takes the place of one fitted on the vectors. Passages are split over ``shards``;
    ids default to names whose order differs from positions.
    """

    def build(folder, doclens, nbits=None, *, vectors=None, ids=None, dim=16, shards=1, centroids=8, seed=0, codec=None):
        doclens = np.array(doclens, np.int32)
        if vectors is None:
            vectors = np.random.default_rng(seed).standard_normal((doclens.sum(), dim)).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        vectors = np.asarray(vectors, np.float16)
        ids = ids if ids is not None else [f"p{7 * number % len(doclens)}-{number}" for number in range(len(doclens))]
        offsets = np.concatenate([[0], np.cumsum(doclens)])
        opened = []
        for number, passages in enumerate(np.array_split(np.arange(len(doclens)), shards)):
            first, last = offsets[passages[0]], offsets[passages[-1] + 1]
            write_shard(folder / f"shard-{number}", vectors[first:last], doclens[passages])
            opened.append(open_shard(folder / f"shard-{number}"))
        made = {"settings": {"codec": "fp16" if nbits is codec is None else f"residual-{nbits}"}, "inputs": {"model": "m"}}
        if nbits is codec is None:
            build_uncompressed(folder / "index", opened, ids, **made)
        else:
            if codec is None:
                centres = kmeans.fit(vectors.astype(np.float32), centroids, seed=seed, iterations=4)
                codec = fit_residual(centres, vectors, assign(vectors, centres), nbits)
            codes = [assign(codec.mapped(shard.vectors.astype(np.float32)), codec.centroids) for shard in opened]
            residuals = [codec.encode(shard.vectors, code) for shard, code in zip(opened, codes, strict=True)]
            build_compressed(folder / "index", [shard.doclens for shard in opened], codes, residuals, codec, ids, **made)
        return open_index(folder / "index")

    return build
