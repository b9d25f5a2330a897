"""Fit a codec on held-out residuals."""

from pathlib import Path

import numpy as np

from bench.codec.names import parse
from bench.config.settings import Natural
from bench.errors import SettingsError
from bench.files.provenance import context
from bench.index.centroids import open_centroids
from bench.index.codecs import write_codec
from bench.index.pipeline import fit_codec
from bench.search.queries import open_query_vectors
from bench.verbs.common import Threads, limit_threads


def fit(*, centroids: Path, codec: str, seed: Natural, queries: Path | None = None, threads: Threads, output: Path) -> None:
    """Fit a codec on held-out residuals.

    :param centroids: Folder of centroids.
    :param codec: Codec to fit, such as residual-2 or opq-16.
    :param seed: Seed of a random rotation and of k-means.
    :param queries: Folder of vectors of training queries, for codecs that are fitted on them.
    :param output: Codec folder to write.
    """
    limit_threads(threads)
    name = parse(codec, "--codec")
    if name is None:
        raise SettingsError(f"codec {codec!r} keeps vectors as they are: there is nothing to fit")
    source = open_centroids(centroids)
    made = source.manifest.settings
    if made["times"] != name.times:
        raise SettingsError(
            f"codec {codec!r} has {name.times} times the paper's number of centroids, and {centroids} has "
            f"{made['times']} times: make others with bench centroids --times {name.times}"
        )
    if made.get("by_token", False) != name.by_token:
        raise SettingsError(
            f"codec {codec!r} has centroids {'within tokens' if name.by_token else 'of all vectors'}, and {centroids} has "
            f"others: make them with bench centroids {'--by-token' if name.by_token else 'without --by-token'}"
        )
    asked = open_query_vectors(queries) if queries else None
    vectors = asked.vectors[asked.vectors.any(axis=2)] if asked else None
    known = source.clusters, source.heldout, source.tokens
    fitted, codes = fit_codec(name, *known, seed=seed, threads=threads, queries=vectors)
    decoded = fitted.mapped_back(fitted.decode(codes, fitted.encode(source.heldout, codes)))
    products = np.sum(decoded * source.heldout.astype(np.float32), axis=1)
    cosine = float(np.mean(products / np.linalg.norm(decoded, axis=1)))
    inputs = {"centroids": source.manifest.digest, **({"queries": asked.manifest.digest} if asked else {})}
    write_codec(output, fitted, settings={"codec": codec, "seed": seed}, inputs=inputs, context=context(__name__))
    print(f"{codec}: {fitted.bytes} bytes a residual, mean cosine {cosine:.4f} on {len(codes)} held-out vectors")
