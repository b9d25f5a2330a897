"""Search an index with query vectors and write a run in TREC format."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from bench.errors import DataError
from bench.evaluation.runs import Run, write_run
from bench.index.index import Index, open_index
from bench.progress import bar
from bench.provenance import context
from bench.search import presets
from bench.search.kernels.choice import NAMES
from bench.search.queries import QueryVectors, open_query_vectors
from bench.search.ranking import results
from bench.storage import write_json
from bench.verbs import common

QUERIES_PER_CALL = 512


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--index", type=Path, required=True, help="index folder")
    parser.add_argument("--queries", type=Path, required=True, help="folder of query vectors")
    parser.add_argument("--depth", type=int, required=True, help="passages per ranking")
    parser.add_argument("--engine", required=True, help=f"one of {', '.join(sorted(presets.PRESETS))}")
    parser.add_argument("--nprobe", type=int, help="colbertv2: lists per query vector")
    parser.add_argument("--ncandidates", type=int, help="colbertv2: passages scored exactly")
    parser.add_argument("--ncells", type=int, help="plaid: lists per query vector")
    parser.add_argument("--centroid-score-threshold", type=float, help="plaid: pruning threshold of centroids")
    parser.add_argument("--ndocs", type=int, help="plaid: passages after the second stage")
    parser.add_argument("--self-match", choices=("none", "removed"), default="none", help="drop the query's own passage")
    parser.add_argument("--kernels", choices=NAMES, default="cpu", help="what searches a compressed index")
    common.add_threads(parser)
    common.add_output(parser, "run.trec.gz to write; its record goes beside it as run.json")


def run(args: Namespace) -> None:
    names = ("engine", "nprobe", "ncandidates", "ncells", "centroid_score_threshold", "ndocs")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    preset = presets.parse(given, "the command line")
    presets.check_depth(preset, args.depth, "the command line")
    index, queries = open_index(args.index), open_query_vectors(args.queries)
    if index.manifest.inputs["model"] != queries.manifest.inputs["model"]:
        raise DataError(f"{args.index} and {args.queries} were encoded by different models")
    found, removed = _search(index, queries, preset, args)
    write_run(args.output, found, f"{index.manifest.settings['codec']}-{preset.engine}")
    record: dict[str, Any] = {
        "settings": {
            **preset.values(),
            "depth": args.depth,
            "self_match": args.self_match,
            "kernels": args.kernels,
            "threads": args.threads,
        },
        "index": {**index.manifest.settings, "counts": dict(index.manifest.counts)},
        "queries": dict(queries.manifest.settings),
        "inputs": {**index.manifest.inputs, **queries.manifest.inputs, "index": index.manifest.digest},
        "counts": {"queries": len(found), "self_matches": removed},
        "context": context(__name__),
    }
    write_json(args.output.with_name("run.json"), record)
    print(f"{len(found)} queries, {sum(map(len, found.values()))} results; {removed} self-matches removed")


def _search(index: Index, queries: QueryVectors, preset: presets.Preset, args: Namespace) -> tuple[Run, int]:
    """Rankings by query id, and how many times a query's own passage was removed (one more is asked for then)."""
    common.limit_threads(args.threads)
    engine = preset.open(index, args.kernels, args.threads)
    asked = args.depth + (args.self_match == "removed")
    found: Run = {}
    removed = 0
    with bar(f"search {args.output.parent}", len(queries.ids), "queries") as progress:
        for start in range(0, len(queries.ids), QUERIES_PER_CALL):
            names = queries.ids[start : start + QUERIES_PER_CALL]
            vectors = queries.vectors[start : start + QUERIES_PER_CALL]
            for name, ranking in zip(names, engine.search(vectors, asked), strict=True):
                found[name], dropped = results(ranking, index.ids, name, args.depth, args.self_match)
                removed += dropped
            progress.update(len(names))
    return found, removed
