"""Merge near vectors of each passage of a shard into their means, so that fewer vectors are stored."""

from pathlib import Path
from typing import Annotated

import numpy as np
from cyclopts import Parameter
from pydantic import Field

from bench.encoder.pooling import pooled
from bench.errors import SettingsError
from bench.files.provenance import context
from bench.index.shards import open_shard, write_shard


def merge(
    *,
    vectors: Path,
    pool: Annotated[int, Field(ge=2), Parameter(help="Keep one vector of so many; each passage keeps at least one.")],
    output: Path,
) -> None:
    """Merge near vectors of each passage of a shard into their means, so that fewer vectors are stored.

    :param vectors: Shard folder.
    :param output: Shard folder to write, from which indexes are built as from any other.
    """
    shard = open_shard(vectors)
    if "pool" in shard.manifest.settings:
        raise SettingsError(
            f"{vectors} is merged already, by {shard.manifest.settings['pool']}: give the shard it was made of"
        )
    found = pooled(np.asarray(shard.vectors), shard.doclens, pool)
    tokens = None if shard.tokens is None else shard.tokens[found.members]
    settings = {**shard.manifest.settings, "pool": pool}
    inputs = {**shard.manifest.inputs, "vectors": shard.manifest.digest}
    write_shard(
        output, found.vectors, found.doclens, None, tokens, settings=settings, inputs=inputs, context=context(__name__)
    )
    print(f"{len(shard.vectors)} vectors to {len(found.vectors)}, of {len(found.doclens)} passages")
