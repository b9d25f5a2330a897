"""Mine hard passages: the top of the current model's own search, for one shard of the training queries."""

from argparse import ArgumentParser, Namespace

from bench.errors import SettingsError
from bench.files.provenance import context
from bench.machine.progress import bar
from bench.search.ranking import Ranking
from bench.training.mined import stretch, write_mined
from bench.verbs import common, engine

QUERIES_PER_CALL = 512


def arguments(parser: ArgumentParser) -> None:
    engine.add_search(parser)
    parser.add_argument("--shard", type=int, default=0, help="number of the shard of queries, from 0")
    parser.add_argument("--shards", type=int, default=1, help="shards that the queries are cut into, one job each")
    common.add_threads(parser)
    common.add_output(parser, "folder of mined passages to write")


def run(args: Namespace) -> None:
    if args.depth < 1:
        raise SettingsError(f"depth {args.depth} of the command line mines nothing; at least 1 is right")
    preset = engine.preset_given(args)
    index, queries = engine.open_both(args)
    first, last = stretch(len(queries.ids), args.shard, args.shards)
    common.limit_threads(args.threads)
    opened = preset.open(index, args.kernels, args.threads)
    rankings: list[Ranking] = []
    with bar(f"mine {args.output.name}", last - first, "queries") as progress:
        for start in range(first, last, QUERIES_PER_CALL):
            vectors = queries.vectors[start : min(start + QUERIES_PER_CALL, last)]
            rankings += opened.search(vectors, args.depth)
            progress.update(len(vectors))
    searched = engine.searched(index, queries)
    manifest = write_mined(
        args.output,
        queries.ids[first:last],
        rankings,
        args.depth,
        settings={
            **preset.values(),
            **{name: getattr(args, name) for name in ("depth", "shard", "shards", "kernels", "threads")},
            "index": index.manifest.settings,
            "query_vectors": queries.manifest.settings,
        },
        inputs=searched["inputs"],
        context=context(__name__),
    )
    counts = manifest.counts
    print(
        f"shard {args.shard} of {args.shards}: {counts['passages']} passages of {counts['queries']} queries, "
        f"{counts['short']} of them with fewer than {args.depth}"
    )
