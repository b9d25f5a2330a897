"""A config resolved: which models, codecs, runs and shards there will be. Everything that can be refused is refused here."""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.codec.names import UNCOMPRESSED, parse
from bench.config import benchmark, data, datasets, extends, measures, own_runs, pools, protocol, rounds, seeds
from bench.config.benchmark import Benchmark, CodecComparison, GridItem
from bench.config.datasets import Entry, Group, Protocol
from bench.config.models import Distilled, Model, Pooled, Teacher
from bench.config.own_runs import External
from bench.config.presets import REFERENCE, Preset, check_device
from bench.config.rounds import TrainingSet
from bench.config.settings import derived_seed
from bench.config.yaml import Place
from bench.errors import SettingsError
from bench.files.provenance import has_native_bfloat16
from bench.files.shipped import shipped

DATASETS = shipped() / "config" / "datasets.yaml"


@dataclass(frozen=True, kw_only=True)
class Run:
    """A query set searched by a preset over a codec of a model.

    One of the names of codec and model may end in a seed; that of the codec has the pool factor (``bench.config.pools``).
    """

    queries: str
    corpus: str
    model: str
    codec: str
    preset: str

    @property
    def row(self) -> tuple[str, str, int | None]:
        """Model and codec as tables name them, and the seed, None where nothing draws on one or there is only one."""
        model, seed = seeds.split(self.model)
        codec, own = seeds.split(self.codec)
        return model, codec, own if seed is None else seed


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Which runs are timed, on how many threads each, with how many queries."""

    runs: Sequence[Run]
    threads: Sequence[int]
    queries: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that the DAG asks of a config.

    seeds: one, or several, under each of which everything that draws on a seed is planned (``bench.config.seeds``);
    external: runs of other systems, by name;
    entries: query sets that are evaluated, by name; sources: those that models and codecs are fitted or trained on, by id;
    corpora: collections of both, by name; codec_queries: those that codecs are fitted on, if any are; training: what each
    distilled model is trained on; groups: those that have a member among the entries, to be averaged where they have all.
    """

    source: str
    name: str
    seeds: tuple[int, ...]
    depth: int
    entries: Mapping[str, Entry]
    corpora: Mapping[str, Entry]
    groups: Sequence[Group]
    models: Mapping[str, Model]
    sources: Mapping[str, Entry]
    training: Mapping[str, TrainingSet]
    teachers: Mapping[str, Teacher]
    presets: Mapping[str, Preset]
    codec_queries: Entry | None
    runs: Sequence[Run]
    external: Mapping[str, External]
    margin: Mapping[str, float]
    baseline: str | None
    bm25: bool
    passages_per_shard: int
    keep_vectors: bool
    precision: str
    device: str
    kmeans_iterations: int
    latency: Latency | None
    rates: CodecComparison | None

    def seed_for(self, *purpose: str, of: str = "") -> int:
        """A seed for one use. Its root is the seed that a name of the purpose, or ``of``, ends in, else the first one."""
        names, found = zip(*map(seeds.split, (*purpose, of)), strict=True)
        root = next((seed for seed in found if seed is not None), self.seeds[0])
        return derived_seed(root, *names[:-1])

    def distilled(self, name: str) -> Distilled:
        """A model of ``training``, all of which are distilled."""
        model = self.models[name]
        if not isinstance(model, Distilled):
            raise TypeError(f"{name} is a {type(model).__name__}")
        return model

    def shards(self, corpus: str) -> list[str]:
        """Names of the shards of a corpus, known before any of its passages is read."""
        count = math.ceil(self.corpora[corpus].passages / self.passages_per_shard)
        return [f"{number:05d}" for number in range(count)]

    @property
    def judged(self) -> list[Run]:
        """Runs that can be evaluated: of the query sets with judgements."""
        return [run for run in self.runs if self.entries[run.queries].judgements]

    def codecs(self, corpus: str, model: str) -> list[str]:
        """Codecs of a model of which a size is reported: those that a run searches."""
        return sorted({run.codec for run in self.runs if (run.corpus, run.model) == (corpus, model)})


def load(path: Path, protocol_file: Path = DATASETS) -> Plan:
    """Read, check and resolve a config file."""
    document = extends.read(path)
    return resolve(Benchmark.parse(document.values, document), str(path), datasets.read(protocol_file), document.folder)


def resolve(config: Benchmark, source: str, rules: Protocol, folder: Callable[[Place], Path] = lambda _: Path()) -> Plan:
    """The plan of a config; raises SettingsError naming key, value and what would be right.

    folder: the folder of the file that has a key, which the paths there are relative to.
    """
    drawn = seeds.of_config(config.seed, config.seeds, source)
    known = rules.sets
    entries = data.entries(config, known, source, folder)
    declared = rounds.expanded(config.models)
    runs = list(dict.fromkeys(_runs(config, declared, entries, source)))
    judged = [run for run in runs if entries[run.queries].judgements]
    _check_starts(declared, source)
    rounds.check_teachers(config.teachers, declared, source)
    for name, model in declared.items():
        if isinstance(model, Distilled):
            rounds.check(name, model.distill, config.teachers, config.presets, config.device, source)
    models, teachers = rounds.needed(declared, config.teachers, (run.model for run in runs))
    training = {
        name: rounds.training_set(model.distill, known, source)
        for name, model in models.items()
        if isinstance(model, Distilled)
    }
    sources = {name: data.source_of(name, entries, known, source) for name in data.training_sets(models, teachers)}
    data.check_leaks(models, teachers, entries, source)
    codec_queries = protocol.resolve(config.codec_queries, None, known, source) if config.codec_queries else None
    if codec_queries:
        sources[codec_queries.id] = codec_queries
    corpora = data.corpora(entries, sources, training, source)
    _check_codecs({pools.split(run.codec)[0] for run in runs}, codec_queries, source)
    for entry in entries.values():
        measures.check_depth(entry.measures, config.depth, f"queries.{entry.id} in {source}")
    asked = config.depth + any(entry.self_match == "removed" for entry in entries.values())
    for name in sorted({run.preset for run in runs}):
        config.presets[name].check_depth(asked, f"presets.{name} in {source}")
    data.check_shards(corpora, config.encode.passages_per_shard, source)
    if config.rates:
        _check_rates(config.rates, judged, config.depth, f"rates in {source}")
    precision = config.encode.precision
    plan = Plan(
        source=source,
        name=config.name,
        seeds=drawn,
        depth=config.depth,
        entries=entries,
        corpora=corpora,
        groups=[group for group in rules.groups.values() if {entry.id for entry in entries.values()} & set(group.members)],
        models=models,
        sources=sources,
        training=training,
        teachers=teachers,
        presets=config.presets,
        codec_queries=codec_queries,
        runs=runs,
        external=own_runs.resolve(config.runs, entries, _references(judged), source, folder),
        margin=_margin(config.margin, entries.values(), source),
        baseline=_baseline(config.baseline, judged, source),
        bm25=config.bm25,
        passages_per_shard=config.encode.passages_per_shard,
        keep_vectors=config.encode.keep_vectors,
        precision=precision if precision != "auto" else "bfloat16" if has_native_bfloat16() else "float32",
        device=config.device,
        kmeans_iterations=config.kmeans.iterations,
        latency=_latency(config.latency, runs, entries, f"latency in {source}") if config.latency else None,
        rates=config.rates,
    )
    return seeds.repeated(plan)


def _runs(config: Benchmark, models: Mapping[str, Model], entries: Mapping[str, Entry], source: str) -> list[Run]:
    runs = []
    for number, item in enumerate(config.grid):
        where = f"grid.{number} in {source}"
        for axis, names in (("models", models), ("presets", config.presets)):
            if unknown := [name for name in getattr(item, axis) if name not in names]:
                raise SettingsError(f"{where} names the unknown {axis} {unknown}; known: {sorted(names)}")
        searched = _named(item, entries, where)
        for model, factor, codec, preset in itertools.product(item.models, item.pool, item.codecs, item.presets):
            _check_run(models[model], model, codec, preset, config.presets[preset], where)
            if factor != pools.NONE and isinstance(models[model], Pooled):
                raise SettingsError(f"{where}: pool {factor}, but model {model!r} has one vector per passage: use pool 1")
            name = pools.named(codec, factor)
            check_device(config.presets[preset], preset, config.device, where)
            runs += [
                Run(queries=entry.name, corpus=entry.corpus_name, model=model, codec=name, preset=preset)
                for entry in searched
            ]
    return runs


def _named(item: GridItem | benchmark.Latency, entries: Mapping[str, Entry], where: str) -> list[Entry]:
    """The query sets that an item of the config names by their ids, all where it names none."""
    found = {entry.id: entry for entry in entries.values()}
    wanted = list(found) if item.query_sets is None else item.query_sets
    if unknown := [name for name in wanted if name not in found]:
        raise SettingsError(f"{where} names the query_sets {unknown}; those of the config: {sorted(found)}")
    return [found[name] for name in wanted]


def _check_run(settings: Model, model: str, codec: str, name: str, preset: Preset, where: str) -> None:
    compressed = parse(codec, where) is not None
    pooled = isinstance(settings, Pooled)
    if preset.needs_lists and not compressed:
        raise SettingsError(f"{where}: preset {name!r} needs an inverted list, codec {codec!r} has none; use exact")
    if pooled and (codec != UNCOMPRESSED or preset.engine != "flat"):
        raise SettingsError(f"{where}: model {model!r} has one vector per passage; use codec fp16 and engine flat")
    if not pooled and preset.engine == "flat":
        raise SettingsError(f"{where}: preset {name!r} is for models with pooling, {model!r} has a vector per token")


def _check_codecs(codecs: Iterable[str], queries: Entry | None, source: str) -> None:
    """Refuse a codec that is fitted on training queries where there are none."""
    for codec in sorted(codecs):
        name = parse(codec, f"grid in {source}")
        if name is not None and name.needs_queries and queries is None:
            raise SettingsError(f"codec {codec!r} of the grid in {source} is fitted on queries: name them as codec_queries")


def _references(runs: Iterable[Run]) -> list[tuple[str, str]]:
    """Model and query set of each exhaustive search over uncompressed vectors, which others are compared with."""
    return [(run.model, run.queries) for run in runs if (run.codec, run.preset) == REFERENCE]


def _baseline(model: str | None, runs: Sequence[Run], source: str) -> str | None:
    """The model that others are compared with, which must be searched exhaustively over uncompressed vectors."""
    known = sorted({name for name, _ in _references(runs)})
    if model is not None and model not in known:
        raise SettingsError(f"baseline {model!r} in {source} is not run as fp16 by the preset exact; these are: {known}")
    return model


def _margin(margin: Mapping[str, float], entries: Iterable[Entry], source: str) -> Mapping[str, float]:
    """Refuse a margin for a measure that is the first one of no query set, since only the first one is compared."""
    known = sorted({entry.measures[0] for entry in entries})
    if unknown := sorted(set(margin) - set(known)):
        raise SettingsError(f"margin.{unknown[0]} in {source}: this is the first measure of no query set; those are {known}")
    return margin


def _latency(asked: benchmark.Latency, runs: Sequence[Run], entries: Mapping[str, Entry], where: str) -> Latency:
    sets = {entry.name for entry in _named(asked, entries, where)}
    timed = [run for run in runs if run.queries in sets]
    axes: Mapping[str, Callable[[Run], str | int]] = {
        "models": lambda run: run.model,
        "codecs": lambda run: pools.split(run.codec)[0],
        "pool": lambda run: pools.split(run.codec)[1],
        "presets": lambda run: run.preset,
    }
    for axis, value in axes.items():
        known = sorted({value(run) for run in runs}, key=str)
        wanted = known if getattr(asked, axis) is None else getattr(asked, axis)
        if unknown := [each for each in wanted if each not in known]:
            raise SettingsError(f"{where} names the {axis} {unknown}, which no run of the grid has; these it has: {known}")
        timed = [run for run in timed if value(run) in wanted]
    if not timed:
        raise SettingsError(f"{where} names query sets, models, codecs and presets that no run of the grid has together")
    for entry in (entries[name] for name in dict.fromkeys(run.queries for run in timed)):
        if not entry.judgements:
            raise SettingsError(f"{where}: {entry.id} has no judgements, so no quality to show beside: name the query_sets")
        if asked.queries > entry.kept:
            raise SettingsError(f"queries {asked.queries} of {where} are more than the {entry.kept} of {entry.id}")
    return Latency(runs=timed, threads=asked.threads, queries=asked.queries)


def _check_rates(rates: CodecComparison, runs: Iterable[Run], depth: int, where: str) -> None:
    """Raise SettingsError for a comparison of codecs that no run can show."""
    searches = {(run.model, run.codec, run.preset) for run in runs}
    if deep := [asked for asked in rates.depths if asked > depth]:
        raise SettingsError(f"depths {deep} of {where} look deeper than the runs of depth {depth}")
    models = {model for model, codec, _ in searches if codec != UNCOMPRESSED}
    if lone := sorted(model for model in models if (model, *REFERENCE) not in searches):
        raise SettingsError(f"{where} compares with {UNCOMPRESSED} searched by the preset exact, which models {lone} lack")
    codecs = {pools.split(codec)[0] for _, codec, _ in searches}
    if unknown := sorted({*rates.against, *rates.against.values()} - codecs):
        raise SettingsError(f"against of {where} names the codecs {unknown}; those of the grid: {sorted(codecs)}")


def _check_starts(models: Mapping[str, Model], source: str) -> None:
    for name in models:
        seen = [name]
        while start := getattr(models[seen[-1]], "start", None):
            if start not in models or isinstance(models[start], Pooled):
                known = sorted(other for other, model in models.items() if not isinstance(model, Pooled))
                raise SettingsError(f"models.{seen[-1]}.start {start!r} in {source} is not one of {known}")
            if start in seen:
                raise SettingsError(f"models.{name} in {source} starts from itself: {' -> '.join([*seen, start])}")
            seen.append(start)
