"""Search an index with query vectors and write a run in TREC format."""

from argparse import ArgumentParser, Namespace
from typing import Any

from bench.evaluation.runs import Run, write_run
from bench.files.provenance import context
from bench.files.storage import write_json
from bench.index.index import Index
from bench.machine.progress import bar
from bench.search.presets import Preset
from bench.search.queries import QueryVectors
from bench.search.ranking import SELF_MATCH, check_self_match, results
from bench.verbs import common, engine

QUERIES_PER_CALL = 512


def arguments(parser: ArgumentParser) -> None:
    engine.add_search(parser)
    parser.add_argument("--self-match", choices=SELF_MATCH, default="none", help="drop or refuse a query's own passage")
    common.add_threads(parser)
    common.add_output(parser, "run.trec.gz to write; its record goes beside it as run.json")


def run(args: Namespace) -> None:
    preset = engine.preset_given(args)
    index, queries = engine.open_both(args)
    check_self_match(args.self_match, queries.ids, index.ids)
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
        **engine.searched(index, queries),
        "counts": {"queries": len(found), "self_matches": removed},
        "context": context(__name__),
    }
    write_json(args.output.with_name("run.json"), record)
    print(f"{len(found)} queries, {sum(map(len, found.values()))} results; {removed} self-matches removed")


def _search(index: Index, queries: QueryVectors, preset: Preset, args: Namespace) -> tuple[Run, int]:
    """Rankings by query id, and how many times a query's own passage was removed (one more is asked for then)."""
    common.limit_threads(args.threads)
    opened = preset.open(index, args.kernels, args.threads)
    asked = engine.asked(args)
    found: Run = {}
    removed = 0
    with bar(f"search {args.output.parent}", len(queries.ids), "queries") as progress:
        for start in range(0, len(queries.ids), QUERIES_PER_CALL):
            names = queries.ids[start : start + QUERIES_PER_CALL]
            vectors = queries.vectors[start : start + QUERIES_PER_CALL]
            for name, ranking in zip(names, opened.search(vectors, asked), strict=True):
                found[name], dropped = results(ranking, index.ids, name, args.depth, args.self_match)
                removed += dropped
            progress.update(len(names))
    return found, removed
