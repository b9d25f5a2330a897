"""YAML as configs use it: the scalars of YAML 1.2, every key once, and the line that each value stands on."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bench.errors import SettingsError

LOADER = getattr(
    yaml, "CBaseLoader", yaml.BaseLoader
)  # libyaml's, where PyYAML was built with it, takes a tenth of the time
MERGE = "<<"
STR = "tag:yaml.org,2002:str"
NULLS = {"", "~", "null", "Null", "NULL"}
BOOLEANS = {text: text.lower() == "true" for text in ("true", "True", "TRUE", "false", "False", "FALSE")}
INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """The mapping in a YAML file. ``lines``: ``FILE:LINE`` of every value, by its keys and positions from the top level."""

    values: dict[str, Any]
    source: str
    lines: Mapping[Place, str] = field(default_factory=dict)

    def line(self, place: Place) -> str:
        """Where a value stands, or else the nearest value around it; the file itself where no line is known."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.lines:
                return self.lines[place[:length]]
        return self.source

    def folder(self, place: Place) -> Path:
        """Folder of the file that a value stands in, which its paths are relative to."""
        return Path(self.line(place).rpartition(":")[0] or self.source).parent


def read(path: Path) -> Document:
    """Read a file in UTF-8, with or without a byte order mark; raises SettingsError for what is not one YAML mapping.

    Source: YAML 1.2, section 10.3 (core schema), so that ``0144`` is 144 and ``1:40`` and ``no`` are text; and the merge
    key ``<<`` of YAML 1.1.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise SettingsError(f"config file {path} does not exist") from error
    except OSError as error:
        raise SettingsError(f"config file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"config file {path} is not text in UTF-8: byte {error.start} is {error.object[error.start]:#x}"
        ) from error
    except ValueError as error:
        raise SettingsError(f"config file {str(path)!r} cannot be: {error}") from error
    lines: dict[Place, str] = {}
    try:
        node = yaml.compose(text, LOADER)
        value = None if node is None else _Reader(str(path), lines).value(node, ())
    except yaml.YAMLError as error:
        raise SettingsError(f"config file {path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise SettingsError(f"config file {path} holds a {type(value).__name__}, expected a mapping")
    return Document(value, str(path), lines)


class _Reader:
    """Nodes of one file to plain values, noting the line of each."""

    def __init__(self, source: str, lines: dict[Place, str]):
        self.source, self.lines = source, lines
        self._open: list[yaml.Node] = []

    def value(self, node: Any, place: Place) -> Any:
        where = f"{self.source}:{node.start_mark.line + 1}"
        if node in self._open:
            raise SettingsError(f"{where}: an alias that contains itself")
        self.lines.setdefault(place, where)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, where)
        self._open.append(node)
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item, (*place, number)) for number, item in enumerate(node.value)]
            return self._mapping(node, place)
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        own: dict[str, yaml.Node] = {}
        merged: list[Any] = []
        for key, value in node.value:
            where = f"{self.source}:{key.start_mark.line + 1}"
            if not isinstance(key, yaml.ScalarNode):
                raise SettingsError(f"{where}: a key must be text, not a {key.id}")
            if key.value == MERGE and not key.style:
                merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            elif key.value in own:
                first = own[key.value].start_mark.line + 1
                raise SettingsError(
                    f"{where}: the key {key.value!r} stands twice, first on line {first}; remove one of them"
                )
            else:
                own[key.value] = value
                self.lines[*place, key.value] = where
        found: dict[str, Any] = {}
        for other in reversed(merged):
            if not isinstance(other, yaml.MappingNode):
                raise SettingsError(f"{self.source}:{other.start_mark.line + 1}: {MERGE} takes a mapping, not a {other.id}")
            found |= self._mapping(other, place)
        return found | {key: self.value(value, (*place, key)) for key, value in own.items()}

    def _scalar(self, node: yaml.ScalarNode, where: str) -> Any:
        text: str = node.value
        if node.tag not in (STR, "!", "", None):
            raise SettingsError(f"{where}: the tag {node.tag} is not supported; write a plain value")
        if node.style:
            return text
        if text in NULLS:
            return None
        if text in BOOLEANS:
            return BOOLEANS[text]
        if INTEGER.fullmatch(text):
            return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
        if FLOAT.fullmatch(text):
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        return text


def nearest(name: str, known: Iterator[str] | Mapping[str, Any] | list[str]) -> str:
    """A question that names the known word closest to ``name``, with a space before it; empty where none is close."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {found[0]!r}?)" if found else ""
