"""Make n-way tuples for distillation from scored shards, from an official 64-way file, or from pairs of ir_datasets."""

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from bench.config.settings import Count, Natural, Settings
from bench.corpus import registry
from bench.corpus.texts import Passages, Queries, open_passages, open_queries
from bench.errors import DataError, SettingsError
from bench.files.provenance import context
from bench.files.storage import Manifest, sha256_file
from bench.machine.progress import bar
from bench.search.queries import QueryVectors, open_query_vectors
from bench.training import sampling
from bench.training.query_groups import directions, groups
from bench.training.scores import open_all
from bench.training.tuples import Row, read_docpairs, read_official, write_tuples
from bench.verbs.common import Flat


class TupleFlags(Settings):
    """Where tuples come from, and how; which flags each source needs and takes is in ``SOURCES``."""

    scored: list[Path] | None = None
    """All scored shards of one mining."""
    from_official: Path | None = None
    """JSON lines [qid, [pid, score], ...], the positive first."""
    from_docpairs: str | None = None
    """ir_datasets id with docpairs: two-way tuples without scores."""
    nway: Annotated[int, Field(ge=2)] | None = None
    """Passages per tuple; of an official file its first ones, all if absent."""
    depth: Count | None = None
    """With --scored: rank down to which to draw; the mined depth if absent."""
    positive: Literal["labelled", "teacher"] | None = None
    """With --scored: the judged passage that the teacher scores highest, or the teacher's best."""
    sampling: Literal["uniform", "top"] | None = None
    """With --scored: the other passages uniformly at random, or the student's top ones."""
    seed: Natural | None = None
    """With --scored: seed of the uniform sampling and of the groups."""
    group_size: Annotated[int, Field(ge=2)] | None = None
    """With --scored: write queries in groups of this many with similar vectors; no groups if absent."""
    query_vectors: Path | None = None
    """With --group-size: folder of the student's query vectors."""
    count: Count | None = None
    """With --from-docpairs: how many of the first pairs to take."""

    @property
    def source(self) -> str:
        """The one source that is given; raises SettingsError for flags that it needs and lacks, or does not take."""
        found = [name for name in SOURCES if getattr(self, name) is not None]
        if len(found) != 1:
            raise SettingsError(f"give exactly one of {', '.join(map(_flag, SOURCES))}; given: {found}")
        needed, taken = SOURCES[found[0]]
        given = set(self.given()) - {found[0]}
        if missing := [_flag(name) for name in needed if name not in given]:
            raise SettingsError(f"{_flag(found[0])} needs {', '.join(missing)} as well")
        if useless := [_flag(name) for name in type(self).model_fields if name in given - {*needed, *taken}]:
            raise SettingsError(f"{_flag(found[0])} does not look at {', '.join(useless)}; leave that out")
        return found[0]


# By source: the flags that it needs, and those that it takes beside them.
SOURCES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "scored": (("nway", "positive", "sampling", "seed"), ("depth", "group_size", "query_vectors")),
    "from_official": ((), ("nway",)),
    "from_docpairs": (("count",), ("nway",)),
}


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def tuples(*, flags: Annotated[TupleFlags, Flat] = TupleFlags(), corpus: Path, queries: Path, output: Path) -> None:
    """Make n-way tuples for distillation from scored shards, from an official 64-way file, or from pairs of ir_datasets.

    :param corpus: Corpus folder that the passages are from.
    :param queries: Query folder that the queries are from.
    :param output: Folder of tuples to write.
    """
    make = {"scored": _from_scored, "from_official": _from_official, "from_docpairs": _from_docpairs}[flags.source]
    print(_summary(make(flags, open_passages(corpus), open_queries(queries), output)))


def _from_scored(flags: TupleFlags, corpus: Passages, queries: Queries, output: Path) -> Manifest:
    assert flags.scored is not None
    shards = open_all(flags.scored)
    first = shards[0].manifest
    for name, digest in (("corpus", corpus.manifest.digest), ("queries", queries.manifest.digest)):
        if first.inputs[name] != digest:
            raise DataError(f"{flags.scored[0]} was made from other {name} than --{name} of the command line: score it anew")
    mined_depth = int(first.settings["mined"]["depth"])
    drawn = {name: getattr(flags, name) for name in ("nway", "positive", "sampling", "seed")}
    drawing = sampling.Drawing(**drawn, depth=mined_depth if flags.depth is None else flags.depth)
    sampling.check(drawing, mined_depth)
    vectors = _query_vectors(flags, first)
    tally: Counter[str] = Counter()
    with bar(f"tuples {output.name}", sum(len(shard.pairs.ids) for shard in shards), "queries") as progress:

        def queried() -> Any:
            for pairs in itertools.chain.from_iterable(shards):
                progress.update()
                yield pairs

        rows = sampling.draw(queried(), corpus.ids(), drawing, tally)
        if vectors is not None and flags.group_size is not None:
            rows = _grouped(list(rows), vectors, flags.group_size, drawing.seed, tally)
        shared = {name: digest for name, digest in first.inputs.items() if name != "mined"}
        scored = {f"scored-{number}": shard.manifest.digest for number, shard in enumerate(shards)}
        made_by = {name: value for name, value in first.settings.items() if name != "mined"}
        mining = {name: value for name, value in first.settings["mined"].items() if name != "shard"}
        return write_tuples(
            output,
            sampling.counted(rows, tally),
            settings={
                "source": "scored",
                **drawing.model_dump(),
                "group_size": flags.group_size or 1,
                "teacher": made_by,
                "mining": mining,
            },
            counts=tally,
            inputs={**shared, **scored, **({"query_vectors": vectors.manifest.digest} if vectors else {})},
            context=context(__name__),
        )


def _query_vectors(flags: TupleFlags, scored: Manifest) -> QueryVectors | None:
    """The student's query vectors that the passages were mined with, where queries stand in groups."""
    if (flags.group_size is None) != (flags.query_vectors is None):
        raise SettingsError("give --group-size and --query-vectors together, or neither")
    if flags.query_vectors is None:
        return None
    found = open_query_vectors(flags.query_vectors)
    if any(scored.inputs[name] != found.manifest.inputs[name] for name in ("model", "queries")):
        raise DataError(
            f"{flags.query_vectors} are not the vectors that the passages of --scored were mined with: encode them anew"
        )
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


def _from_official(flags: TupleFlags, corpus: Passages, queries: Queries, output: Path) -> Manifest:
    assert flags.from_official is not None
    known = {"queries": {text.id for text in queries.texts}, "passages": set(corpus.ids())}
    tally: Counter[str] = Counter()
    rows = read_official(flags.from_official, nway=flags.nway, **known)
    digests = {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest}
    return write_tuples(
        output,
        sampling.counted(rows, tally),
        settings={"source": "official", "positive": "first of each line"},
        counts=tally,
        inputs={**digests, "official": sha256_file(flags.from_official)},
        context=context(__name__),
    )


def _from_docpairs(flags: TupleFlags, corpus: Passages, queries: Queries, output: Path) -> Manifest:
    assert flags.from_docpairs is not None
    assert flags.count is not None
    name, count = flags.from_docpairs, flags.count
    if flags.nway not in (None, 2):
        raise SettingsError(f"nway {flags.nway} of the command line: pairs of {name} are two-way tuples")
    dataset = registry.load(name)
    if not dataset.has_docpairs():
        raise DataError(f"{name} has no docpairs in ir_datasets")
    known = {"queries": {text.id for text in queries.texts}, "passages": set(corpus.ids())}
    pairs = itertools.islice(dataset.docpairs_iter(), count)
    inputs = {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest}
    settings = {"source": "docpairs", "dataset": name, "count": count, "positive": "labelled"}

    def rows() -> Any:
        taken = 0
        for row in read_docpairs(pairs, name, **known):
            taken += 1
            yield row
        if taken < count:
            raise DataError(f"count {count} of the command line: {name} has {taken} pairs")

    return write_tuples(output, rows(), settings=settings, repeats=True, inputs=inputs, context=context(__name__))


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
