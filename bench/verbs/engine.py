"""Flags of the verbs that search an index with query vectors."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from bench.errors import DataError
from bench.index.index import Index, open_index
from bench.search import presets
from bench.search.kernels.backends import NAMES
from bench.search.presets import Preset
from bench.search.queries import QueryVectors, open_query_vectors


def add_search(parser: ArgumentParser) -> None:
    """Index, query vectors and the values of an engine."""
    parser.add_argument("--index", type=Path, required=True, help="index folder")
    parser.add_argument("--queries", type=Path, required=True, help="folder of query vectors")
    parser.add_argument("--depth", type=int, required=True, help="passages per ranking")
    parser.add_argument("--engine", required=True, help=f"one of {', '.join(sorted(presets.PRESETS))}")
    parser.add_argument("--nprobe", type=int, help="colbertv2: lists per query vector")
    parser.add_argument("--ncandidates", type=int, help="colbertv2: passages scored exactly")
    parser.add_argument("--ncells", type=int, help="plaid: lists per query vector")
    parser.add_argument("--centroid-score-threshold", type=float, help="plaid: pruning threshold of centroids; -1 for none")
    parser.add_argument("--ndocs", type=int, help="plaid: passages after the second stage")
    parser.add_argument("--kernels", choices=NAMES, default="cpu", help="what searches a compressed index")


def asked(args: Namespace) -> int:
    """Results to ask an engine for: one more than the depth where a query's own passage is removed from them."""
    return int(args.depth) + (getattr(args, "self_match", "none") == "removed")


def preset_given(args: Namespace) -> Preset:
    """The preset of the flags; raises SettingsError where it cannot fill a ranking of the depth asked for."""
    names = ("engine", "nprobe", "ncandidates", "ncells", "centroid_score_threshold", "ndocs")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    preset = presets.parse(given, "the command line")
    presets.check_depth(preset, asked(args), "the command line")
    return preset


def open_both(args: Namespace) -> tuple[Index, QueryVectors]:
    """Index and query vectors; raises DataError where different models made them."""
    index, queries = open_index(args.index), open_query_vectors(args.queries)
    if index.manifest.inputs["model"] != queries.manifest.inputs["model"]:
        raise DataError(f"{args.index} and {args.queries} were encoded by different models")
    return index, queries


def searched(index: Index, queries: QueryVectors) -> dict[str, Any]:
    """What a record says of the index and the query vectors: settings, counts and digests."""
    return {
        "index": {**index.manifest.settings, "counts": dict(index.manifest.counts)},
        "queries": dict(queries.manifest.settings),
        "inputs": {**index.manifest.inputs, **queries.manifest.inputs, "index": index.manifest.digest},
    }
