"""Config files that extend others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.config import yaml
from bench.config.yaml import Document, Place
from bench.errors import SettingsError
from bench.files.shipped import config_path

MERGED = ("queries", "models", "teachers", "presets", "margin", "runs")  # by name, where a config extends several


def read(path: Path, extended: tuple[Path, ...] = ()) -> Document:
    """The values of a config file; where it ``extends`` others, beside it or of the package, its own top-level keys win.

    Several others are merged: query sets, models, presets, teachers, margins and runs by their names, and the items of their
    grids, each for the query sets of its own file. Raises SettingsError where they differ in anything that the file leaves
    open.
    """
    own = yaml.read(path)
    bases = own.values.pop("extends", None)
    if bases is None:
        return own
    names = [bases] if isinstance(bases, str) else bases
    if not (isinstance(names, list) and names and all(isinstance(name, str) for name in names)):
        raise SettingsError(f"{path}: extends is {bases!r}, expected the names of config files beside it")
    found = {}
    for name in names:
        other = path.parent / name
        other = other if other.exists() else config_path(Path(name))
        if other in (*extended, path):
            raise SettingsError(f"{path} extends itself: {' -> '.join(map(str, (*extended, path, other)))}")
        found[name] = read(other, (*extended, path))
    lines: dict[Place, str] = {}
    values = next(iter(found.values())).values if len(found) == 1 else _merged(found, set(own.values), path)
    for base in found.values():
        lines |= {place: line for place, line in base.lines.items() if place and (len(found) == 1 or place[0] != "grid")}
    kept = {place: line for place, line in lines.items() if place[0] not in own.values}
    return Document({**values, **own.values}, str(path), {**kept, **own.lines})


def _merged(configs: Mapping[str, Document], given: set[str], path: Path) -> dict[str, Any]:
    """What several configs say together, without the keys that are ``given`` by the file that extends them."""
    merged: dict[str, Any] = {}

    def agree(one: Any, other: Any, key: str) -> None:
        if one != other:
            raise SettingsError(
                f"{path} extends {list(configs)}, which differ in {key} ({one!r}, {other!r}); "
                f"give {key.partition('.')[0]} in {path}"
            )

    for config in configs.values():
        for key, value in config.values.items():
            if key in given:
                continue
            if key == "grid":
                sets = sorted(config.values["queries"])
                merged[key] = merged.get(key, []) + [{"query_sets": sets, **item} for item in value]
            elif key in MERGED:
                together = merged.setdefault(key, {})
                for item, settings in value.items():
                    agree(together.setdefault(item, settings), settings, f"{key}.{item}")
            else:
                agree(merged.setdefault(key, value), value, key)
    return merged
