"""Measure how long a query takes on pinned threads: one at a time, stage by stage, and in a batch."""

import functools
import os
import time
from pathlib import Path
from typing import Annotated, Any

from bench.config.presets import EngineFlags, Preset
from bench.config.settings import Count
from bench.errors import DataError, SettingsError
from bench.evaluation import host
from bench.evaluation.latency import Repeats, batch_rate, measure, seconds, summary
from bench.files.provenance import context
from bench.files.storage import write_json
from bench.index.index import Index
from bench.search.engines import open_engine
from bench.search.queries import QueryVectors
from bench.search.stage_times import Watch, unwatched
from bench.verbs.common import Flat, Threads, limit_threads, prepare_torch
from bench.verbs.engine import SearchFlags, preset_given, provenance

timed = functools.partial(seconds, clock=time.perf_counter)


def latency(
    *,
    flags: Annotated[SearchFlags, Flat],
    engine: Annotated[EngineFlags, Flat],
    model: Path | None = None,
    texts: Path | None = None,
    first: Count | None = None,
    most_passes: Count = Repeats.most,
    threads: Threads,
    granted_threads: Count | None = None,
    output: Path,
) -> None:
    """Measure how long a query takes on pinned threads: one at a time, stage by stage, and in a batch.

    :param model: Model folder, to time encoding as well; goes with --texts.
    :param texts: Query folder with the texts of the query vectors; goes with --model.
    :param first: Queries that are timed, the first ones; all if absent.
    :param most_passes: Passes that are measured where the times never become stable.
    :param granted_threads: CPUs that the caller grants, if not all that there are.
    :param output: latency.json to write.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    repeats = Repeats(most=most_passes)
    preset = preset_given(engine, flags.depth)
    if (model is None) != (texts is None):
        raise SettingsError("--model and --texts of the command line go together: a text is timed from its tokens on")
    cpus = host.pin(threads, granted_threads)
    before = host.load_average()
    (index, queries), opening = timed(flags.open)
    count = len(queries.ids) if first is None else first
    if not 2 <= count <= len(queries.ids):
        raise SettingsError(f"first {count} of the command line: between 2 and the {len(queries.ids)} of {flags.queries}")
    record: dict[str, Any] = {
        "settings": {**preset.model_dump(), "depth": flags.depth, "kernels": flags.kernels, "threads": threads},
        "repeats": vars(repeats),
        **provenance(index, queries),
        **_search(flags, preset, threads, index, queries, count, repeats),
        "open_s": opening,
        "encode": _encode(model, texts, flags, threads, queries, count, repeats) if model and texts else None,
        "host": {**host.record(), "cpus": cpus, "load": {"before": before, "after": host.load_average()}},
        "context": context(__name__),
    }
    write_json(output, record)
    found = record["search"]
    print(
        f"{count} queries, mean of each one's best {found['mean_best']:.2f} ms, {found['passes']} passes, "
        f"{'stable' if found['stable'] else 'not stable'}; in a batch {record['batch']['queries_per_s']:.1f} queries/s"
    )


def _search(
    flags: SearchFlags, preset: Preset, threads: int, index: Index, queries: QueryVectors, count: int, repeats: Repeats
) -> dict[str, Any]:
    """Searches of one query at a time, of all at once, and the first one of all, which loads the compiled loops."""
    vectors = queries.vectors[:count]
    opened, opening = timed(lambda: open_engine(preset, index, flags.kernels, threads))
    limit_threads(threads)
    _, first = timed(lambda: opened.search(vectors[:1], flags.depth))

    def search(query: int, watch: Watch) -> None:
        opened.search(vectors[query : query + 1], flags.depth, watch)

    alone = measure(search, len(vectors), time.perf_counter, repeats)
    rate = batch_rate(lambda: opened.search(vectors, flags.depth), len(vectors), time.perf_counter)
    return {
        "search": {**summary(alone), "open_s": opening, "first_s": first},
        "batch": {"queries": len(vectors), "queries_per_s": rate},
    }


def _encode(
    model: Path, texts: Path, flags: SearchFlags, threads: int, queries: QueryVectors, count: int, repeats: Repeats
) -> dict[str, Any]:
    """Encoding of one text at a time, as the query vectors were encoded; raises DataError for another model or set."""
    from bench.corpus.texts import open_queries
    from bench.encoder import checkpoint
    from bench.encoder.encode import encode_queries

    prepare_torch(threads)
    (encoder, manifest), opening = timed(lambda: checkpoint.load(model))
    asked = open_queries(texts)
    for name, folder, digest in (("model", model, manifest.digest), ("queries", texts, asked.manifest.digest)):
        if queries.manifest.inputs[name] != digest:
            raise DataError(f"{flags.queries} was not made from {folder}: give the folder that it was encoded from")
    settings = {"maxlen": queries.manifest.settings["query_maxlen"], "precision": queries.manifest.settings["precision"]}

    def encode(query: int, watch: Watch) -> None:
        encode_queries(encoder, [asked.texts[query].text], **settings)
        watch("encode")

    _, first = timed(lambda: encode(0, unwatched))
    return {**summary(measure(encode, count, time.perf_counter, repeats)), "open_s": opening, "first_s": first}
