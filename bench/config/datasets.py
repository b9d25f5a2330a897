"""``config/datasets.yaml``: the protocol keys of every known query set, and the groups that a mean is taken over."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.config.settings import read_yaml, validate
from bench.errors import SettingsError

SCHEMA = Path(__file__).with_name("datasets.schema.yaml")
Keys = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Query sets of which the macro mean of one measure, the headline of each, is reported: of all of them or not at all."""

    name: str
    title: str
    measure: str
    members: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Protocol keys by the id of a query set, and groups by name."""

    sets: Mapping[str, Keys]
    groups: Mapping[str, Group]


def read(path: Path) -> Protocol:
    """The protocol in a file; raises SettingsError as ``parse`` does."""
    return parse(read_yaml(path), str(path))


def parse(values: Mapping[str, Any], source: str) -> Protocol:
    """Sets with what their families share, ``source`` merged key by key.

    Raises SettingsError for what the schema forbids, a set that stands in two families, and a group with a member that
    is no set or that has another headline.
    """
    validate(values, source, SCHEMA)
    sets: dict[str, Keys] = {}
    for name, family in values["families"].items():
        for dataset_id, keys in family["sets"].items():
            if dataset_id in sets:
                raise SettingsError(f"{source}: {dataset_id} of the family {name} stands in another family too")
            origin = {**family["shared"].get("source", {}), **keys.get("source", {})}
            sets[dataset_id] = {**family["shared"], **keys, "source": origin}
    groups = {
        name: Group(name=name, **{**group, "members": tuple(group["members"])}) for name, group in values["groups"].items()
    }
    for group in groups.values():
        for member in group.members:
            headline = sets.get(member, {}).get("measures", [None])[0]
            if headline != group.measure:
                found = f"has the headline {headline}" if member in sets else "is no query set there"
                raise SettingsError(f"{source}: groups.{group.name} is a mean of {group.measure}, but {member} {found}")
    return Protocol(sets=sets, groups=groups)
