"""Make n-way tuples for distillation from scored shards, from an official 64-way file, or from pairs of ir_datasets."""

import itertools
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.corpus import registry
from bench.corpus.texts import open_passages, open_queries
from bench.errors import DataError, SettingsError
from bench.files.provenance import context
from bench.files.storage import Manifest, sha256_file
from bench.machine.progress import bar
from bench.search.queries import QueryVectors, open_query_vectors
from bench.training import sampling
from bench.training.query_groups import directions, groups
from bench.training.scores import open_all
from bench.training.tuples import Row, read_docpairs, read_official, write_tuples
from bench.verbs import common

DRAWN = ("nway", "depth", "positive", "sampling", "seed")


def arguments(parser: ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--scored", type=Path, nargs="+", help="all scored shards of one mining")
    source.add_argument("--from-official", type=Path, help="JSON lines [qid, [pid, score], ...], the positive first")
    source.add_argument("--from-docpairs", help="ir_datasets id with docpairs: two-way tuples without scores")
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder that the passages are from")
    parser.add_argument("--queries", type=Path, required=True, help="query folder that the queries are from")
    parser.add_argument(
        "--nway", type=int, help="passages per tuple; of an official file its first ones (default there: all)"
    )
    parser.add_argument("--depth", type=int, help="scored: rank down to which to draw (default: the mined depth)")
    parser.add_argument("--positive", choices=sampling.POSITIVES, help="scored: the judged passage, or the teacher's best")
    parser.add_argument(
        "--sampling", choices=sampling.SAMPLINGS, help="scored: other passages by seed, or the student's top"
    )
    parser.add_argument("--seed", type=int, help="scored: of the uniform sampling and of the groups")
    parser.add_argument(
        "--group-size",
        type=int,
        help="scored: write queries in groups of this many with similar vectors (default: no groups)",
    )
    parser.add_argument("--query-vectors", type=Path, help="with --group-size: folder of the student's query vectors")
    parser.add_argument("--count", type=int, help="docpairs: how many of the first pairs to take")
    common.add_output(parser, "folder of tuples to write")


def run(args: Namespace) -> None:
    made = _from_scored if args.scored else _from_official if args.from_official else _from_docpairs
    manifest = made(args)
    print(_summary(manifest))


def _from_scored(args: Namespace) -> Manifest:
    _refuse_flags(args, "--scored", needed=("nway", "positive", "sampling", "seed"), other=("count",))
    corpus, queries, shards = open_passages(args.corpus), open_queries(args.queries), open_all(args.scored)
    first = shards[0].manifest
    for name, digest in (("corpus", corpus.manifest.digest), ("queries", queries.manifest.digest)):
        if first.inputs[name] != digest:
            raise DataError(f"{args.scored[0]} was made from other {name} than {getattr(args, name)}: score it anew")
    mined_depth = int(first.settings["mined"]["depth"])
    given = {name: getattr(args, name) for name in DRAWN}
    drawing = sampling.Drawing(**{**given, "depth": mined_depth if args.depth is None else args.depth})
    sampling.check(drawing, mined_depth)
    asked = _asked(args, first)
    tally: Counter[str] = Counter()
    with bar(f"tuples {args.output.name}", sum(len(shard.pairs.ids) for shard in shards), "queries") as progress:

        def queried() -> Any:
            for pairs in itertools.chain.from_iterable(shards):
                progress.update()
                yield pairs

        rows = sampling.draw(queried(), corpus.ids(), drawing, tally)
        rows = _grouped(list(rows), asked, args.group_size, drawing.seed, tally) if asked else rows
        shared = {name: digest for name, digest in first.inputs.items() if name != "mined"}
        scored = {f"scored-{number}": shard.manifest.digest for number, shard in enumerate(shards)}
        made_by = {name: value for name, value in first.settings.items() if name != "mined"}
        mining = {name: value for name, value in first.settings["mined"].items() if name != "shard"}
        return write_tuples(
            args.output,
            sampling.counted(rows, tally),
            settings={
                "source": "scored",
                **{name: getattr(drawing, name) for name in DRAWN},
                "group_size": args.group_size or 1,
                "teacher": made_by,
                "mining": mining,
            },
            counts=tally,
            inputs={**shared, **scored, **({"query_vectors": asked.manifest.digest} if asked else {})},
            context=context(__name__),
        )


def _asked(args: Namespace, scored: Manifest) -> QueryVectors | None:
    """The student's vectors of the queries, where they are to stand in groups: those that the passages were mined with."""
    if (args.group_size is None) != (args.query_vectors is None):
        raise SettingsError("give --group-size and --query-vectors together, or neither")
    if args.group_size is None:
        return None
    if args.group_size < 2:
        raise SettingsError(
            f"--group-size {args.group_size} of the command line makes no group; give at least 2, or omit it"
        )
    found = open_query_vectors(args.query_vectors)
    if (
        scored.inputs["model"] != found.manifest.inputs["model"]
        or scored.inputs["queries"] != found.manifest.inputs["queries"]
    ):
        raise DataError(f"{args.query_vectors} are not the vectors that {args.scored[0]} was mined with: encode them anew")
    return found


def _grouped(rows: list[Row], asked: QueryVectors, group_size: int, seed: int, tally: Counter[str]) -> Iterator[Row]:
    """The rows group by group; raises DataError where there are fewer than one group has."""
    place = {query: number for number, query in enumerate(asked.ids)}
    near = directions(asked.vectors[[place[row.query] for row in rows]])
    found = groups(near, group_size, seed)
    if len(found) == 0:
        raise DataError(f"--group-size {group_size} of the command line is more than the {len(rows)} queries with a tuple")
    tally[sampling.UNGROUPED] = len(rows) - found.size
    return (rows[number] for number in found.ravel().tolist())


def _from_official(args: Namespace) -> Manifest:
    _refuse_flags(
        args,
        "--from-official",
        needed=(),
        other=("depth", "positive", "sampling", "seed", "group_size", "query_vectors", "count"),
    )
    corpus, queries = open_passages(args.corpus), open_queries(args.queries)
    known = {"queries": {text.id for text in queries.texts}, "passages": set(corpus.ids())}
    tally: Counter[str] = Counter()
    rows = read_official(args.from_official, nway=args.nway, **known)
    return write_tuples(
        args.output,
        sampling.counted(rows, tally),
        settings={"source": "official", "positive": "first of each line"},
        counts=tally,
        inputs={
            "corpus": corpus.manifest.digest,
            "queries": queries.manifest.digest,
            "official": sha256_file(args.from_official),
        },
        context=context(__name__),
    )


def _from_docpairs(args: Namespace) -> Manifest:
    other = ("depth", "positive", "sampling", "seed", "group_size", "query_vectors")
    _refuse_flags(args, "--from-docpairs", needed=("count",), other=other)
    if args.nway not in (None, 2):
        raise SettingsError(f"nway {args.nway} of the command line: pairs of {args.from_docpairs} are two-way tuples")
    dataset = registry.load(args.from_docpairs)
    if args.count < 1 or not dataset.has_docpairs():
        raise DataError(f"{args.count} pairs of {args.from_docpairs} cannot be taken: too few, or it has no docpairs")
    corpus, queries = open_passages(args.corpus), open_queries(args.queries)
    known = {"queries": {text.id for text in queries.texts}, "passages": set(corpus.ids())}
    pairs = itertools.islice(dataset.docpairs_iter(), args.count)
    inputs = {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest}
    settings = {"source": "docpairs", "dataset": args.from_docpairs, "count": args.count, "positive": "labelled"}

    def rows() -> Any:
        taken = 0
        for row in read_docpairs(pairs, args.from_docpairs, **known):
            taken += 1
            yield row
        if taken < args.count:
            raise DataError(f"count {args.count} of the command line: {args.from_docpairs} has {taken} pairs")

    return write_tuples(args.output, rows(), settings=settings, repeats=True, inputs=inputs, context=context(__name__))


def _refuse_flags(args: Namespace, source: str, *, needed: tuple[str, ...], other: tuple[str, ...]) -> None:
    """Raise SettingsError for a flag that this source needs and lacks, or that means nothing to it."""
    if missing := [f"--{name}" for name in needed if getattr(args, name) is None]:
        raise SettingsError(f"{source} needs {', '.join(missing)} as well")
    if useless := [f"--{name}" for name in other if getattr(args, name) is not None]:
        raise SettingsError(f"{source} does not look at {', '.join(useless)}; leave that out")


def _summary(manifest: Manifest) -> str:
    counts = manifest.counts
    lines = [f"{counts['queries']} tuples of {counts['nway']} passages; digest {manifest.digest[:16]}"]
    if manifest.settings["scored"]:
        others = counts["queries"] * (counts["nway"] - 1)
        above, unlike = counts[sampling.ABOVE], counts[sampling.NOT_BEST]
        lines.append(
            f"the teacher gives more than the positive to {above} of {others} other passages ({above / others:.1%}), "
            f"in {unlike} tuples ({unlike / counts['queries']:.1%})"
        )
    if manifest.settings["source"] == "scored":
        lines.append(
            f"relevant passages besides the positive: {counts[sampling.FALSE_EXCLUDED]} excluded, "
            f"{counts[sampling.FALSE_KEPT]} kept; queries left out: {counts[sampling.WITHOUT_POSITIVE]} without positive, "
            f"{counts[sampling.SHORT]} with too few passages, "
            f"{counts.get(sampling.UNGROUPED, 0)} in no group of similar ones"
        )
    return "\n".join(lines)
