"""Write the queries and judgements of a query set: all of them, a seeded sample, or those of a list."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.corpus import downloads, judged
from bench.corpus.texts import write_queries
from bench.errors import SettingsError
from bench.files.provenance import context
from bench.files.storage import digest_of


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dataset", required=True, help="ir_datasets id of the query set")
    parser.add_argument("--without", help="ir_datasets id of queries to leave out")
    parser.add_argument("--queries", type=int, required=True, help="number of queries that it must have")
    parser.add_argument("--judgements", type=int, required=True, help="number of judgements that it must have")
    parser.add_argument("--grades", type=int, nargs="+", required=True, help="grades that it may have")
    parser.add_argument("--sample", type=int, help="queries to keep, drawn from the judged ones by seed (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the sample")
    parser.add_argument("--ids", type=Path, help="file with the ids of the sample, one a line, instead of drawing it")
    parser.add_argument("--output", type=Path, required=True, help="query folder to write")


def run(args: Namespace) -> None:
    if args.ids is not None and args.sample is None:
        raise SettingsError("--ids of the command line needs --sample, the number of ids that the list must have")
    with downloads.explained(args.dataset, *([args.without] if args.without else [])):
        found = judged.read(args.dataset, args.without)
    judged.check(found, args.dataset, args.queries, args.judgements, args.grades)
    ids = judged.read_ids(args.ids) if args.ids is not None else None
    if ids is not None:
        found = judged.named(found, args.dataset, ids, args.sample)
    elif args.sample is not None:
        found = judged.drawn(found, args.dataset, args.sample, args.seed)
    settings = {
        **{name: getattr(args, name) for name in ("dataset", "without", "queries", "judgements", "sample")},
        "seed": args.seed if args.sample and ids is None else None,
        "ids": digest_of(ids) if ids is not None else None,
    }
    manifest = write_queries(args.output, found.texts, found.qrels, settings=settings, context=context(__name__))
    counts = manifest.counts
    print(f"{args.dataset}: {counts['queries']} queries, {counts['judgements']} judgements; digest {manifest.digest[:16]}")
