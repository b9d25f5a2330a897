"""A config resolved: which models, codecs, runs and shards there will be. Everything that can be refused is refused here."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.codec.names import UNCOMPRESSED, parse
from bench.config import datasets, protocol, rates, rounds
from bench.config.datasets import Group, Protocol
from bench.config.protocol import Entry
from bench.config.rates import Rates
from bench.config.rounds import TrainingSet
from bench.config.settings import derived_seed, read_config, validate
from bench.config.weights import check_weights
from bench.errors import SettingsError
from bench.evaluation import quality
from bench.files.provenance import has_native_bfloat16
from bench.search import presets
from bench.search.presets import Preset

DATASETS = Path("config/datasets.yaml")
MOST_SHARDS = 500  # of a collection: one command takes the names of all shards and of what was made of them


@dataclass(frozen=True, kw_only=True)
class Run:
    """One row of the table: a query set searched by a preset over a codec of a model."""

    queries: str
    corpus: str
    model: str
    codec: str
    preset: str


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Which runs are timed, on how many threads each, with how many queries."""

    runs: Sequence[Run]
    threads: Sequence[int]
    queries: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that the DAG asks of a config.

    entries: query sets that are evaluated, by name; sources: those that models and codecs are fitted or trained on, by id;
    corpora: collections of both, by name; codec_queries: those that codecs are fitted on, if any are; training: what each
    distilled model is trained on; groups: those that have a member among the entries, to be averaged where they have all.
    """

    source: str
    name: str
    seed: int
    depth: int
    entries: Mapping[str, Entry]
    corpora: Mapping[str, Entry]
    groups: Sequence[Group]
    models: Mapping[str, Mapping[str, Any]]
    sources: Mapping[str, Entry]
    training: Mapping[str, TrainingSet]
    teachers: Mapping[str, Mapping[str, Any]]
    presets: Mapping[str, Preset]
    codec_queries: Entry | None
    runs: Sequence[Run]
    baseline: str | None
    bm25: bool
    passages_per_shard: int
    keep_vectors: bool
    precision: str
    device: str
    kmeans_iterations: int
    latency: Latency | None
    rates: Rates | None

    def seed_for(self, *purpose: str) -> int:
        return derived_seed(self.seed, *purpose)

    def shards(self, corpus: str) -> list[str]:
        """Names of the shards of a corpus, known before any of its passages is read."""
        count = math.ceil(self.corpora[corpus].passages / self.passages_per_shard)
        return [f"{number:05d}" for number in range(count)]

    def codecs(self, corpus: str, model: str) -> list[str]:
        """Codecs of a model of which a size is reported: those that a run searches."""
        return sorted({run.codec for run in self.runs if (run.corpus, run.model) == (corpus, model)})

    def inputs(self, model: str) -> Mapping[str, Any]:
        return self.models[model].get("inputs") or {}


def load(path: Path, protocol_file: Path = DATASETS) -> Plan:
    """Read, check and resolve a config file."""
    return resolve(read_config(path), str(path), datasets.read(protocol_file))


def resolve(values: Mapping[str, Any], source: str, rules: Protocol) -> Plan:
    """The plan of a config's values; raises SettingsError naming key, value and what would be right."""
    validate(values, source)
    known = rules.sets
    entries = {
        entry.name: entry
        for dataset_id, overrides in values["queries"].items()
        for entry in [protocol.resolve(dataset_id, overrides or {}, known, source)]
    }
    declared, teachers = rounds.expanded(values["models"]), values.get("teachers", {})
    parsed = {name: presets.parse(preset, f"presets.{name} in {source}") for name, preset in values["presets"].items()}
    runs = list(dict.fromkeys(_runs(values["grid"], declared, entries, parsed, source)))
    _check_models(declared, source)
    rounds.check_teachers(teachers, declared, source)
    for name in (name for name, teacher in teachers.items() if "cross_encoder" in teacher):
        check_weights(teachers[name]["cross_encoder"], f"teachers.{name}.cross_encoder in {source}:")
    for name in (name for name, model in declared.items() if "distill" in model):
        codec = parse(declared[name]["distill"]["mine"]["codec"], f"models.{name}.distill.mine in {source}")
        rounds.check(name, declared, teachers, codec, parsed, source)
    models, teachers = rounds.needed(declared, teachers, (run.model for run in runs))
    training = {
        name: rounds.training_set(model["distill"], known, source) for name, model in models.items() if "distill" in model
    }
    sources = {name: protocol.resolve(name, {}, known, source) for name in training_sets(models, teachers)}
    codec_queries = protocol.resolve(values["codec_queries"], {}, known, source) if values.get("codec_queries") else None
    if codec_queries:
        sources[codec_queries.id] = codec_queries
    corpora = _corpora(entries, sources, training, source)
    _check_codecs({run.codec for run in runs}, codec_queries, source)
    for entry in entries.values():
        quality.check_depth(entry.measures, values["depth"], f"queries.{entry.id} in {source}")
    asked = values["depth"] + any(entry.self_match == "removed" for entry in entries.values())
    for name in sorted({run.preset for run in runs}):
        presets.check_depth(parsed[name], asked, f"presets.{name} in {source}")
    _check_shards(corpora, values["encode"]["passages_per_shard"], source)
    precision = values["encode"]["precision"]
    return Plan(
        source=source,
        name=values["name"],
        seed=values["seed"],
        depth=values["depth"],
        entries=entries,
        corpora=corpora,
        groups=[group for group in rules.groups.values() if {entry.id for entry in entries.values()} & set(group.members)],
        models=models,
        sources=sources,
        training=training,
        teachers=teachers,
        presets=parsed,
        codec_queries=codec_queries,
        runs=runs,
        baseline=_baseline(values.get("baseline"), runs, source),
        bm25=values.get("bm25", False),
        passages_per_shard=values["encode"]["passages_per_shard"],
        keep_vectors=values["encode"].get("keep_vectors", True),
        precision=precision if precision != "auto" else "bfloat16" if has_native_bfloat16() else "float32",
        device=values.get("device", "cpu"),
        kmeans_iterations=values["kmeans"]["iterations"],
        latency=_latency(values["latency"], runs, entries, f"latency in {source}") if values.get("latency") else None,
        rates=_rates(values.get("rates"), runs, values["depth"], source),
    )


def _corpora(
    entries: Mapping[str, Entry],
    sources: Mapping[str, Entry],
    training: Mapping[str, TrainingSet],
    source: str,
) -> dict[str, Entry]:
    """One entry per collection, searched or trained on, by its name; query sets that share one must agree on it."""
    corpora: dict[str, Entry] = {}
    for entry in entries.values():
        other = corpora.setdefault(entry.corpus_name, entry)
        if (entry.passages, entry.doc_maxlen, entry.template) != (other.passages, other.doc_maxlen, other.template):
            raise SettingsError(
                f"{source}: {entry.id} and {other.id} share the collection {entry.corpus}, but differ in passages "
                f"({entry.passages}, {other.passages}), doc_maxlen ({entry.doc_maxlen}, {other.doc_maxlen}) or template "
                f"({entry.template!r}, {other.template!r})"
            )
    for entry in (*sources.values(), *(part.entry for part in training.values())):
        corpora.setdefault(entry.corpus_name, entry)
    return corpora


def _check_shards(corpora: Mapping[str, Entry], passages_per_shard: int, source: str) -> None:
    for entry in corpora.values():
        least = math.ceil(entry.passages / MOST_SHARDS)
        if passages_per_shard < least:
            raise SettingsError(
                f"encode.passages_per_shard {passages_per_shard} in {source} cuts the {entry.passages} passages of "
                f"{entry.corpus} into more than {MOST_SHARDS} shards; give at least {least}"
            )


def training_sets(models: Mapping[str, Mapping[str, Any]], teachers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Ids of the data sets that models and teachers are fitted or trained on."""
    stages = (of.get(stage) for of in (*models.values(), *teachers.values()) for stage in ("projection", "train", "distill"))
    return sorted({stage["dataset"] for stage in stages if stage and "dataset" in stage})


def _runs(
    grid: Sequence[Mapping[str, Any]],
    models: Mapping[str, Mapping[str, Any]],
    entries: Mapping[str, Entry],
    parsed: Mapping[str, Preset],
    source: str,
) -> list[Run]:
    runs = []
    for number, item in enumerate(grid):
        where = f"grid.{number} in {source}"
        for axis, names in (("models", models), ("presets", parsed)):
            if unknown := [name for name in item[axis] if name not in names]:
                raise SettingsError(f"{where} names the unknown {axis} {unknown}; known: {sorted(names)}")
        searched = _named(item, entries, where)
        for model, codec, preset in itertools.product(item["models"], item["codecs"], item["presets"]):
            _check_run(models[model], model, codec, preset, parsed[preset], where)
            runs += [
                Run(queries=entry.name, corpus=entry.corpus_name, model=model, codec=codec, preset=preset)
                for entry in searched
            ]
    return runs


def _named(item: Mapping[str, Any], entries: Mapping[str, Entry], where: str) -> list[Entry]:
    """The query sets that an item of the config names by their ids, all where it names none."""
    found = {entry.id: entry for entry in entries.values()}
    wanted = item.get("query_sets", found)
    if unknown := [name for name in wanted if name not in found]:
        raise SettingsError(f"{where} names the query_sets {unknown}; those of the config: {sorted(found)}")
    return [found[name] for name in wanted]


def _check_run(settings: Mapping[str, Any], model: str, codec: str, name: str, preset: Preset, where: str) -> None:
    compressed = parse(codec, where) is not None
    if preset.needs_lists and not compressed:
        raise SettingsError(f"{where}: preset {name!r} needs an inverted list, codec {codec!r} has none; use exact")
    if "pooling" in settings and (codec != UNCOMPRESSED or preset.engine != "flat"):
        raise SettingsError(f"{where}: model {model!r} has one vector per passage; use codec fp16 and engine flat")
    if "pooling" not in settings and preset.engine == "flat":
        raise SettingsError(f"{where}: preset {name!r} is for models with pooling, {model!r} has a vector per token")


def _check_codecs(codecs: Iterable[str], queries: Entry | None, source: str) -> None:
    """Refuse a codec that is fitted on training queries where there are none."""
    for codec in sorted(codecs):
        name = parse(codec, f"grid in {source}")
        if name is not None and name.needs_queries and queries is None:
            raise SettingsError(f"codec {codec!r} of the grid in {source} is fitted on queries: name them as codec_queries")


def _baseline(model: str | None, runs: Sequence[Run], source: str) -> str | None:
    """The model that others are compared with, which must be searched exhaustively over uncompressed vectors."""
    known = sorted({run.model for run in runs if (run.codec, run.preset) == (UNCOMPRESSED, "exact")})
    if model is not None and model not in known:
        raise SettingsError(f"baseline {model!r} in {source} is not run as fp16 by the preset exact; these are: {known}")
    return model


def _latency(values: Mapping[str, Any], runs: Sequence[Run], entries: Mapping[str, Entry], where: str) -> Latency:
    sets = {entry.name for entry in _named(values, entries, where)}
    timed = [run for run in runs if run.queries in sets]
    for axis, name in (("models", "model"), ("codecs", "codec"), ("presets", "preset")):
        known = sorted({getattr(run, name) for run in runs})
        wanted = values.get(axis, known)
        if unknown := [name for name in wanted if name not in known]:
            raise SettingsError(f"{where} names the {axis} {unknown}, which no run of the grid has; these it has: {known}")
        timed = [run for run in timed if getattr(run, name) in wanted]
    if not timed:
        raise SettingsError(f"{where} names query sets, models, codecs and presets that no run of the grid has together")
    for entry in (entries[name] for name in dict.fromkeys(run.queries for run in timed)):
        if values["queries"] > (count := entry.kept):
            raise SettingsError(f"queries {values['queries']} of {where} are more than the {count} of {entry.id}")
    return Latency(runs=timed, threads=values["threads"], queries=values["queries"])


def _rates(values: Mapping[str, Any] | None, runs: Sequence[Run], depth: int, source: str) -> Rates | None:
    searches = [(run.model, run.codec, run.preset) for run in runs]
    return rates.resolve(values, searches, depth, f"rates in {source}") if values else None


def _check_models(models: Mapping[str, Mapping[str, Any]], source: str) -> None:
    for name, model in models.items():
        for key in {"base", "checkpoint"} & set(model):
            check_weights(model[key], f"models.{name}.{key} in {source}:")
        start = model.get("start")
        seen = [name]
        while start is not None:
            if start not in models or "pooling" in models[start]:
                known = sorted(other for other in models if "pooling" not in models[other])
                raise SettingsError(f"models.{seen[-1]}.start {start!r} in {source} is not one of {known}")
            if start in seen:
                raise SettingsError(f"models.{name} in {source} starts from itself: {' -> '.join([*seen, start])}")
            seen.append(start)
            start = models[start].get("start")
