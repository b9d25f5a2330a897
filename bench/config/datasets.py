"""``config/datasets.yaml``: the protocol keys of every known query set, and the groups that a mean is taken over."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from bench.config import yaml
from bench.config.settings import Count, Name, Natural, Settings, Unique, optional
from bench.errors import SettingsError

Gains = Literal["binary", "graded"]
SelfMatch = Literal["none", "removed", "absent"]
MaxLength = Annotated[int, Field(ge=4)]
Keys = Mapping[str, Any]


class Choice(Settings):
    """Which queries of a set are kept; all if absent."""

    sample: Count | None = None
    """Queries kept, drawn at random from the judged ones."""
    sample_seed: Natural | None = None
    """Seed of the sample; one of the config if absent."""
    ids: str | None = None
    """File with the queries to keep instead, an id a line, as many as sample."""


CHOSEN = tuple(Choice.model_fields)  # plain keys of a config, which are shown as deviations all the same


class Overridable(Settings):
    """Keys of the protocol that a config may override; each deviation is shown in the tables."""

    query_maxlen: MaxLength
    """Tokens of a query, markers included."""
    doc_maxlen: MaxLength
    """Tokens of a passage, markers included."""
    measures: Annotated[tuple[str, ...], Field(min_length=1), Unique]
    """ir_measures texts, the headline first."""
    gains: Gains
    """Gain of a relevant passage: 1, or its grade; a grade below 1 gains nothing in either."""
    self_match: SelfMatch
    """A result with the query's own id: means nothing (none), is removed before the cut-off, or must not occur (absent)."""


class Entry(Overridable, Choice):
    """How one query set is evaluated: its protocol, with what a config changes in it."""

    id: str
    """An ir_datasets id, or one like it with dataset."""
    corpus: str
    """ir_datasets id of the collection; sets that name the same one share its index."""
    passages: Count
    """Passages that the collection must have."""
    template: str
    """Text of a passage by its fields, which must be what default_text() of ir_datasets gives."""
    dataset: str
    """ir_datasets id of queries and judgements, where it is not the id of the set."""
    without: str | None = None
    """ir_datasets id of queries that are left out of those of dataset."""
    queries: Count
    """Queries that the set must have, before a sample."""
    judgements: Count
    """Judgements that the set must have, before a sample."""
    grades: Annotated[tuple[int, ...], Field(min_length=1), Unique]
    """Grades that its judgements have, all of them."""
    source: Annotated[dict[str, str], Field(min_length=1)]
    """Where each choice comes from."""
    deviations: dict[str, str] = Field(default_factory=dict)
    """What differs from the protocol, by key."""

    @property
    def name(self) -> str:
        """The id as a part of a path."""
        return slug(self.id)

    @property
    def corpus_name(self) -> str:
        return slug(self.corpus)

    @property
    def kept(self) -> int:
        """Queries that are searched and scored."""
        return self.sample or self.queries

    @property
    def index_deviations(self) -> dict[str, str]:
        """Of the deviations those that concern the index, whichever queries search it."""
        return {key: text for key, text in self.deviations.items() if key in ("doc_maxlen", "protocol")}


def slug(dataset_id: str) -> str:
    return dataset_id.replace("/", "-")


def sample_deviation(plain: Keys, values: Keys, base: Keys) -> dict[str, str]:
    """What a choice of queries leaves out: ``plain`` of a config, unless ``base`` has it; ``values`` are all of the set."""
    if all(plain.get(key) == base.get(key) for key in CHOSEN if key in plain):
        return {}
    named = f"named in {Path(plain['ids']).name}" if "ids" in plain else "by seed"
    return {"sample": f"{values.get('sample')} of {values['queries']} queries, {named}"}


def check_sample(entry: Entry, where: str) -> None:
    """Raise SettingsError for a choice of queries that cannot be made."""
    if entry.ids is not None and entry.sample is None:
        raise SettingsError(f"{where} names ids in {entry.ids}, but no sample: say how many they are")
    if entry.sample_seed is not None and entry.sample is None:
        raise SettingsError(f"{where} gives a sample_seed, but no sample to draw")
    if entry.sample is not None and entry.sample > entry.queries:
        raise SettingsError(f"sample {entry.sample} of {where} must lie between 1 and its {entry.queries} queries")


# The same keys, each of which may be left out: in the protocol's file, under override, and in a config.
_PartOfEntry: Any = create_model("_PartOfEntry", __base__=Settings, **optional(Entry, skip=("id", "deviations")))
_PartOfOverridable: Any = create_model("_PartOfOverridable", __base__=Settings, **optional(Overridable))


class ProtocolKeys(_PartOfEntry):
    """Protocol keys of a query set, some of them or all."""


class Override(_PartOfOverridable):
    """What differs from the protocol."""


class QuerySet(ProtocolKeys):
    """A query set of a benchmark: one of the protocol, or one that gives all its keys."""

    override: Override | None = None
    """What differs from the protocol."""


class Family(Settings):
    """Query sets that share most of their protocol."""

    shared: ProtocolKeys
    """What holds for every set that does not say otherwise."""
    sets: Annotated[dict[str, ProtocolKeys], Field(min_length=1)]
    """Query sets by id: an ir_datasets id, or one like it with dataset."""


class Group(Settings):
    """Query sets of which the macro mean of one measure is reported: of all of them or not at all."""

    title: Annotated[str, Field(min_length=1)]
    """What tables call it."""
    measure: str
    """The headline of all its members."""
    members: Annotated[tuple[str, ...], Field(min_length=2)]
    """Ids of its query sets."""


class ProtocolFile(Settings):
    """The evaluation protocol, config/datasets.yaml."""

    families: Annotated[dict[Name, Family], Field(min_length=1)]
    """Families of query sets by name."""
    groups: dict[Name, Group]
    """Groups by name."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Protocol keys by the id of a query set, and groups by name."""

    sets: Mapping[str, Keys]
    groups: Mapping[str, Group]


def read(path: Path) -> Protocol:
    """The protocol in a file; raises SettingsError as ``parse`` does."""
    return parse(yaml.read(path))


def parse(document: yaml.Document) -> Protocol:
    """Sets with what their families share, ``source`` merged key by key.

    Raises SettingsError for what the declarations forbid, a set that stands in two families, and a group with a member
    that is no set or that has another headline.
    """
    file, source = ProtocolFile.parse(document.values, document), document.source
    sets: dict[str, Keys] = {}
    for name, family in file.families.items():
        shared = family.shared.given()
        for dataset_id, keys in family.sets.items():
            if dataset_id in sets:
                raise SettingsError(f"{source}: {dataset_id} of the family {name} stands in another family too")
            own = keys.given()
            sets[dataset_id] = {**shared, **own, "source": {**shared.get("source", {}), **own.get("source", {})}}
    for name, group in file.groups.items():
        for member in group.members:
            headline = sets.get(member, {}).get("measures", [None])[0]
            if headline != group.measure:
                found = f"has the headline {headline}" if member in sets else "is no query set there"
                raise SettingsError(f"{source}: groups.{name} is a mean of {group.measure}, but {member} {found}")
    return Protocol(sets=sets, groups=file.groups)
