"""Settings: YAML checked against a schema, and the seeds derived from the one seed in it."""

import functools
import hashlib
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from bench.errors import SettingsError

SCHEMA = Path(__file__).with_name("config.schema.yaml")
SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # that of libyaml takes a tenth of the time, where it was built
UNITED = ("queries", "models", "teachers", "presets")  # by name, where a config extends several


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; raises SettingsError where there is none."""
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), SAFE_LOADER)
    except FileNotFoundError as error:
        raise SettingsError(f"config file {path} does not exist") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"config file {path} is not valid YAML: {error}") from error
    if not isinstance(value, dict):
        raise SettingsError(f"config file {path} holds a {type(value).__name__}, expected a mapping")
    return value


def read_config(path: Path, extended: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The values of a config file; where it ``extends`` others beside it, its own top-level keys win.

    Several others are united: query sets, models, presets and teachers by their names, and the items of their grids, each
    for the query sets of its own file. Raises SettingsError where they differ in anything that the file leaves open.
    """
    values = read_yaml(path)
    bases = values.pop("extends", None)
    if bases is None:
        return values
    names = [bases] if isinstance(bases, str) else bases
    if not (isinstance(names, list) and names and all(isinstance(name, str) for name in names)):
        raise SettingsError(f"{path}: extends is {bases!r}, expected the names of config files beside it")
    found = {}
    for name in names:
        other = path.parent / name
        if other in (*extended, path):
            raise SettingsError(f"{path} extends itself: {' -> '.join(map(str, (*extended, path, other)))}")
        found[name] = read_config(other, (*extended, path))
    if len(found) == 1:
        return {**found[names[0]], **values}
    return {**_united(found, set(values), path), **values}


def _united(configs: Mapping[str, Mapping[str, Any]], given: set[str], path: Path) -> dict[str, Any]:
    """What several configs say together, without the keys that are ``given`` by the file that extends them."""
    united: dict[str, Any] = {}
    for config in configs.values():
        for key, value in config.items():
            if key in given:
                continue
            if key == "grid":
                sets = sorted(config["queries"])
                united[key] = united.get(key, []) + [{"query_sets": sets, **item} for item in value]
            elif key in UNITED:
                merged = united.setdefault(key, {})
                for item, settings in value.items():
                    _agree(merged.setdefault(item, settings), settings, f"{key}.{item}", configs, path)
                    merged[item] = settings
            else:
                _agree(united.setdefault(key, value), value, key, configs, path)
    return united


def _agree(one: Any, other: Any, key: str, configs: Iterable[str], path: Path) -> None:
    if one != other:
        raise SettingsError(
            f"{path} extends {list(configs)}, which differ in {key} ({one!r}, {other!r}); "
            f"give {key.partition('.')[0]} in {path}"
        )


def validate(values: Mapping[str, Any], source: str, schema_file: Path = SCHEMA, definition: str | None = None) -> None:
    """Check ``values`` against a schema, or one of the definitions in it.

    Raises SettingsError for the first violation, with what is allowed there.
    """
    schema = _schema(schema_file)
    if definition is not None:
        schema = {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]}
    validator = jsonschema.Draft202012Validator(schema)
    for error in sorted(validator.iter_errors(values), key=lambda error: list(map(str, error.absolute_path))):
        raise SettingsError(_explain(_deepest(error), source))


@functools.cache
def _schema(path: Path) -> dict[str, Any]:
    return read_yaml(path)


def _deepest(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """Of the alternatives of a ``oneOf`` the one that the value comes closest to."""
    while error.context:
        branches: dict[str | int, list[jsonschema.ValidationError]] = {}
        for inner in error.context:
            branches.setdefault(inner.schema_path[0], []).append(inner)
        error = min(branches.values(), key=_misfit)[0]
    return error


def _misfit(errors: list[jsonschema.ValidationError]) -> tuple[int, int]:
    """A missing required key tells a wrong alternative; then fewer violations are closer."""
    return sum(error.validator == "required" for error in errors), len(errors)


def _explain(error: jsonschema.ValidationError, source: str) -> str:
    schema: Any = error.schema
    where = ".".join(map(str, error.absolute_path)) or "the top level"
    if error.validator == "additionalProperties":
        known = sorted(schema["properties"])
        given: Any = error.instance
        unknown = sorted(set(given) - set(known))
        return f"{source}: {where} has the unknown keys {unknown}; known: {known}"
    if error.validator == "enum":
        return f"{source}: {where} is {error.instance!r}; allowed: {error.validator_value}"
    described = schema.get("description") if isinstance(schema, Mapping) else None
    return f"{source}: {where}: {error.message}" + (f" ({described})" if described else "")


def derived_seed(root: int, *purpose: str) -> int:
    """A seed of 31 bits for one use, so that no two uses share a stream and none depends on the order of jobs."""
    digest = hashlib.sha256("/".join((str(root), *purpose)).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def flags(values: Mapping[str, Any]) -> str:
    """``--key value`` for each value that is given, as a shell takes them; sequences become several words."""
    return " ".join(_flags(values))


def _flags(values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        name = f"--{key.replace('_', '-')}"
        if isinstance(value, bool):
            yield name if value else f"--no-{name[2:]}"
        elif isinstance(value, list | tuple):
            yield f"{name} {' '.join(shlex.quote(str(item)) for item in value)}"
        elif value is not None:
            yield f"{name} {shlex.quote(str(value))}"
