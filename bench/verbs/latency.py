"""Measure how long a query takes on pinned threads: one at a time, stage by stage, and in a batch."""

import functools
import os
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import numpy as np

from bench.config.presets import Preset
from bench.errors import DataError, SettingsError
from bench.evaluation import host
from bench.evaluation.latency import Repeats, batch_rate, measure, seconds, summary
from bench.files.provenance import context
from bench.files.storage import write_json
from bench.index.index import Index
from bench.search.queries import QueryVectors
from bench.search.stage_times import Watch, unwatched
from bench.verbs import common, engine

timed = functools.partial(seconds, clock=time.perf_counter)


def arguments(parser: ArgumentParser) -> None:
    engine.add_search(parser)
    parser.add_argument("--model", type=Path, help="model folder, to time encoding as well; needs --texts")
    parser.add_argument("--texts", type=Path, help="query folder with the texts of the query vectors; needs --model")
    parser.add_argument("--first", type=int, help="time only this many queries, the first ones")
    parser.add_argument("--most-passes", type=int, default=Repeats.most, help="passes that are measured if never stable")
    common.add_threads(parser)
    parser.add_argument("--granted-threads", type=int, help="CPUs that the caller grants, if not all that there are")
    common.add_output(parser, "latency.json to write")


def run(args: Namespace) -> None:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    repeats = Repeats(most=args.most_passes)
    preset = engine.preset_given(args)
    if (args.model is None) != (args.texts is None):
        raise SettingsError("--model and --texts of the command line go together: a text is timed from its tokens on")
    cpus = host.pin(args.threads, args.granted_threads)
    before = host.load_average()
    (index, queries), opening = timed(lambda: engine.open_both(args))
    count = _count(args, queries)
    searching = _search(args, preset, index, queries.vectors[:count], repeats)
    encoding = _encode(args, queries, count, repeats) if args.model else None
    record: dict[str, Any] = {
        "settings": {**preset.values(), "depth": args.depth, "kernels": args.kernels, "threads": args.threads},
        "repeats": vars(repeats),
        **engine.searched(index, queries),
        **searching,
        "open_s": opening,
        "encode": encoding,
        "host": {**host.record(), "cpus": cpus, "load": {"before": before, "after": host.load_average()}},
        "context": context(__name__),
    }
    write_json(args.output, record)
    found = record["search"]
    print(
        f"{count} queries, mean of each one's best {found['mean_best']:.2f} ms, {found['passes']} passes, "
        f"{'stable' if found['stable'] else 'not stable'}; in a batch {record['batch']['queries_per_s']:.1f} queries/s"
    )


def _count(args: Namespace, queries: QueryVectors) -> int:
    count = len(queries.ids) if args.first is None else args.first
    if not 2 <= count <= len(queries.ids):
        raise SettingsError(f"first {count} of the command line: between 2 and the {len(queries.ids)} of {args.queries}")
    return count


def _search(args: Namespace, preset: Preset, index: Index, vectors: np.ndarray, repeats: Repeats) -> dict[str, Any]:
    """Searches of one query at a time, of all at once, and the first one of all, which loads the compiled loops."""
    opened, opening = timed(lambda: preset.open(index, args.kernels, args.threads))
    common.limit_threads(args.threads)
    _, first = timed(lambda: opened.search(vectors[:1], args.depth))

    def search(query: int, watch: Watch) -> None:
        opened.search(vectors[query : query + 1], args.depth, watch)

    alone = measure(search, len(vectors), time.perf_counter, repeats)
    rate = batch_rate(lambda: opened.search(vectors, args.depth), len(vectors), time.perf_counter)
    return {
        "search": {**summary(alone), "open_s": opening, "first_s": first},
        "batch": {"queries": len(vectors), "queries_per_s": rate},
    }


def _encode(args: Namespace, queries: QueryVectors, count: int, repeats: Repeats) -> dict[str, Any]:
    """Encoding of one text at a time, as the query vectors were encoded; raises DataError for another model or set."""
    from bench.corpus.texts import open_queries
    from bench.encoder import checkpoint
    from bench.encoder.encode import encode_queries

    common.prepare_torch(args.threads)
    (encoder, model), opening = timed(lambda: checkpoint.load(args.model))
    texts = open_queries(args.texts)
    for name, folder, manifest in (("model", args.model, model), ("queries", args.texts, texts.manifest)):
        if queries.manifest.inputs[name] != manifest.digest:
            raise DataError(f"{args.queries} was not made from {folder}: give the folder that it was encoded from")
    settings = {"maxlen": queries.manifest.settings["query_maxlen"], "precision": queries.manifest.settings["precision"]}

    def encode(query: int, watch: Watch) -> None:
        encode_queries(encoder, [texts.texts[query].text], **settings)
        watch("encode")

    _, first = timed(lambda: encode(0, unwatched))
    return {**summary(measure(encode, count, time.perf_counter, repeats)), "open_s": opening, "first_s": first}
