"""Mine hard passages: the top of the current model's own search, for one shard of the training queries."""

from pathlib import Path
from typing import Annotated

from bench.config.presets import EngineFlags
from bench.config.settings import Count, Natural
from bench.files.provenance import context
from bench.machine.progress import bar
from bench.search.engines import open_engine
from bench.search.ranking import Ranking
from bench.training.mined import stretch, write_mined
from bench.verbs.common import Flat, Threads, limit_threads, take_device
from bench.verbs.engine import SearchFlags, preset_given, provenance

QUERIES_PER_CALL = 512


def mine(
    *,
    flags: Annotated[SearchFlags, Flat],
    engine: Annotated[EngineFlags, Flat],
    shard: Natural = 0,
    shards: Count = 1,
    threads: Threads,
    output: Path,
) -> None:
    """Mine hard passages: the top of the current model's own search, for one shard of the training queries.

    :param shard: Number of the shard of queries, from 0.
    :param shards: Shards that the queries are split into, one job each.
    :param output: Folder of mined passages to write.
    """
    preset = preset_given(engine, flags.depth)
    index, queries = flags.open()
    first, last = stretch(len(queries.ids), shard, shards)
    take_device(flags.kernels)
    limit_threads(threads)
    opened = open_engine(preset, index, flags.kernels, threads)
    rankings: list[Ranking] = []
    with bar(f"mine {output.name}", last - first, "queries") as progress:
        for start in range(first, last, QUERIES_PER_CALL):
            vectors = queries.vectors[start : min(start + QUERIES_PER_CALL, last)]
            rankings += opened.search(vectors, flags.depth)
            progress.update(len(vectors))
    settings = {"depth": flags.depth, "shard": shard, "shards": shards, "kernels": flags.kernels, "threads": threads}
    searched = {"index": index.manifest.settings, "query_vectors": queries.manifest.settings}
    manifest = write_mined(
        output,
        queries.ids[first:last],
        rankings,
        flags.depth,
        settings={**preset.model_dump(), **settings, **searched},
        inputs=provenance(index, queries)["inputs"],
        context=context(__name__),
    )
    counts = manifest.counts
    print(
        f"shard {shard} of {shards}: {counts['passages']} passages of {counts['queries']} queries, "
        f"{counts['short']} of them with fewer than {flags.depth}"
    )
