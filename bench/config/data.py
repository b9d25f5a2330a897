"""Query sets and collections of a config, those of ir_datasets and own ones, and what they must agree on."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.config import own, protocol
from bench.config.benchmark import Benchmark
from bench.config.datasets import Entry, Keys
from bench.config.models import Model, Teacher
from bench.config.rounds import TrainingSet
from bench.config.yaml import Place
from bench.errors import SettingsError

STAGES = ("projection", "train", "distill")  # what of a model or a teacher may name a training set
MOST_SHARDS = 500  # of a collection: one command takes the names of all shards and of what was made of them


def entries(config: Benchmark, known: Mapping[str, Keys], source: str, folder: Callable[[Place], Path]) -> dict[str, Entry]:
    """Query sets by their names as parts of paths, which must differ."""
    found: dict[str, Entry] = {}
    for set_id, given in config.queries.items():
        entry: Entry
        if isinstance(given, own.OwnSet):
            entry = own.resolve(set_id, given, source, folder(("queries", set_id)))
        else:
            entry = protocol.resolve(set_id, given, known, source)
        if (other := found.setdefault(entry.name, entry)) is not entry:
            raise SettingsError(f"{source}: the query sets {other.id} and {entry.id} both have the folder {entry.name}")
    return found


def corpora(
    entries: Mapping[str, Entry],
    sources: Mapping[str, Entry],
    training: Mapping[str, TrainingSet],
    source: str,
) -> dict[str, Entry]:
    """One entry per collection, searched or trained on, by its name; query sets that share one must agree on it."""
    found: dict[str, Entry] = {}
    for entry in entries.values():
        other = found.setdefault(entry.corpus_name, entry)
        if _passages(entry) != _passages(other):
            raise SettingsError(
                f"{source}: {entry.id} and {other.id} share the collection {entry.corpus}, but not its files"
            )
        if (entry.passages, entry.doc_maxlen, entry.template) != (other.passages, other.doc_maxlen, other.template):
            raise SettingsError(
                f"{source}: {entry.id} and {other.id} share the collection {entry.corpus}, but differ in passages "
                f"({entry.passages}, {other.passages}), doc_maxlen ({entry.doc_maxlen}, {other.doc_maxlen}) or template "
                f"({entry.template!r}, {other.template!r})"
            )
    for entry in (*sources.values(), *(part.entry for part in training.values())):
        if _passages(entry) != _passages(other := found.setdefault(entry.corpus_name, entry)):
            raise SettingsError(f"{source}: {other.id} and {entry.id} have collections of one name, {entry.corpus_name}")
    return found


def _passages(entry: Entry) -> object:
    """Where the passages of a collection are: the id of ir_datasets, or a file and the column of its ids."""
    return (entry.files.passages, entry.files.passage_id) if isinstance(entry, own.OwnEntry) else entry.corpus


def check_shards(corpora: Mapping[str, Entry], passages_per_shard: int, source: str) -> None:
    for entry in corpora.values():
        least = math.ceil(entry.passages / MOST_SHARDS)
        if passages_per_shard < least:
            raise SettingsError(
                f"encode.passages_per_shard {passages_per_shard} in {source} cuts the {entry.passages} passages of "
                f"{entry.corpus} into more than {MOST_SHARDS} shards; give at least {least}"
            )


def source_of(set_id: str, entries: Mapping[str, Entry], known: Mapping[str, Keys], source: str) -> Entry:
    """A set that models are fitted or trained on: own data of the config, or else one of ir_datasets."""
    found = entries.get(set_id)
    return found if isinstance(found, own.OwnEntry) else protocol.resolve(set_id, None, known, source)


def check_leaks(
    models: Mapping[str, Model], teachers: Mapping[str, Teacher], entries: Mapping[str, Entry], source: str
) -> None:
    """Refuse own queries that are trained on and evaluated; a projection is fitted on passages alone."""
    for set_id in training_sets(models, teachers, STAGES[1:]):
        if isinstance(entries.get(set_id), own.OwnEntry):
            raise SettingsError(f"{source}: {set_id} is evaluated, so nothing can be trained on its queries")


def training_sets(models: Mapping[str, Model], teachers: Mapping[str, Teacher], keys: Sequence[str] = STAGES) -> list[str]:
    """Ids of the data sets that models and teachers are fitted or trained on, in the given stages."""
    stages = (getattr(of, key, None) for of in (*models.values(), *teachers.values()) for key in keys)
    return sorted({dataset for stage in stages if (dataset := getattr(stage, "dataset", None))})
