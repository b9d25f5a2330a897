"""What is derived from the declarations of settings: JSON schemas for editors, and the page of all settings."""

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from bench.config.benchmark import Benchmark
from bench.config.datasets import ProtocolFile
from bench.config.settings import Settings
from bench.files.storage import json_text

SCHEMAS: dict[str, type[Settings]] = {"benchmark.schema.json": Benchmark, "datasets.schema.json": ProtocolFile}
INTRODUCTION = """# Settings

Every setting of a config (`Benchmark`) and of the evaluation protocol (`ProtocolFile`), as `bench/config/` declares it.
`bench settings` writes this page and the schemas that editors use; a test compares both with the declarations.
"""


def schemas() -> dict[str, str]:
    """JSON schemas as text, by the name of their file in ``config/``."""
    names = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    found = {}
    for name, kind in SCHEMAS.items():
        schema = kind.model_json_schema()
        if kind is Benchmark:
            schema["properties"]["extends"] = {"description": "Config files beside this one that it extends.", **names}
            del schema["required"]  # what is absent may be in a config that is extended
        found[name] = json_text({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    return found


def page() -> str:
    """All groups of settings as Markdown, each before the groups inside of it."""
    groups = list(dict.fromkeys(group for kind in SCHEMAS.values() for group in _groups(kind)))
    return INTRODUCTION + "".join(f"\n{_section(group)}" for group in groups)


def write(config: Path, page_file: Path) -> list[Path]:
    """Write the schemas into the folder of configs and the page; returns their paths."""
    files = {**{config / name: text for name, text in schemas().items()}, page_file: page()}
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)


def _groups(kind: type[Settings]) -> Iterator[type[Settings]]:
    yield kind
    for field in kind.model_fields.values():
        for inner in _inside(field.annotation):
            yield from _groups(inner)


def _inside(annotation: Any) -> Iterator[type[Settings]]:
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        yield annotation
    for inner in get_args(annotation) if get_origin(annotation) is not Literal else ():
        yield from _inside(inner)


def _section(kind: type[Settings]) -> str:
    rows = [_row(name, field) for name, field in kind.model_fields.items()]
    text = " ".join((kind.__doc__ or "").split())
    return f"## {kind.__name__}\n\n{text}\n\n| setting | type | default | meaning |\n|---|---|---|---|\n" + "".join(rows)


def _row(name: str, field: FieldInfo) -> str:
    bounds = [text for item in field.metadata if (text := _bound(item))]
    kind = ", ".join([_type(field.annotation), *bounds])
    if field.is_required():
        default = "required"
    else:
        value = field.get_default(call_default_factory=True)
        default = "–" if value is None or isinstance(value, Settings) or value == {} else f"`{value}`"
    return f"| `{name}` | {kind} | {default} | {field.description} |\n"


def _type(annotation: Any) -> str:
    """A type in words, with a link for a group of settings."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    if origin is Annotated:
        bounds = [text for item in arguments[1:] if (text := _bound(item))]
        return ", ".join([_type(arguments[0]), *bounds])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(_type(inner) for inner in arguments)
    if origin is dict:
        return f"mapping to {_type(arguments[1])}"
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    return {int: "integer", float: "number", str: "text", bool: "true or false", type(None): "null"}.get(annotation, "value")


def _bound(item: Any) -> str:
    """A bound of a field in words; empty for what is none."""
    if isinstance(item, FieldInfo):
        return ", ".join(filter(None, map(_bound, item.metadata)))
    words = {"ge": "≥ ", "gt": "> ", "le": "≤ ", "multiple_of": "a multiple of ", "min_length": "length ≥ "}
    return ", ".join(f"{text}{getattr(item, name)}" for name, text in words.items() if getattr(item, name, None) is not None)
