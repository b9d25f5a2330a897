"""Settings: what every declaration of the harness is made of.

A setting is one field of a frozen model: its type and bounds, its default, and one line of text. From it come the check of
a config, the JSON schema that editors use, the flags of the command line and of the workflow, and the page of all settings.
"""

import hashlib
import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, ValidationError
from pydantic_core import ErrorDetails

from bench.config.yaml import Document, nearest
from bench.errors import SettingsError

Count = Annotated[int, Field(ge=1)]
Natural = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Dim = Annotated[int, Field(ge=8, multiple_of=8)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Revision = Annotated[str, Field(pattern="^[0-9a-f]{40}$")]


def _distinct(values: Any) -> Any:
    if repeated := [value for number, value in enumerate(values) if value in values[:number]]:
        raise ValueError(f"names {repeated[0]!r} twice")
    return values


Unique = AfterValidator(_distinct)
Name = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]*$")]


def outside(*taken: str) -> AfterValidator:
    """A name that is none of those that folders beside it have."""

    def check(name: str) -> str:
        if name in taken:
            raise ValueError(f"{name!r} is the name of a folder of the workflow; choose another than {', '.join(taken)}")
        return name

    return AfterValidator(check)


Precision = Literal["float32", "bfloat16"]
NONE = "none"  # how a flag spells a value that is null in a config


class Settings(BaseModel):
    """A group of settings; numbers are finite, and a key that it does not declare is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    def part(self, kind: type["Settings"]) -> dict[str, Any]:
        """The values of the fields that ``kind`` declares, as keywords for it or for ``flags``."""
        return {name: getattr(self, name) for name in kind.model_fields}

    def given(self) -> dict[str, Any]:
        """The values that were given, by field, without those left at their defaults."""
        return {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}

    @classmethod
    def parse(cls, values: Mapping[str, Any], source: str | Document, place: tuple[str | int, ...] = ()) -> Self:
        """Values as YAML or JSON has them, types taken strictly; raises SettingsError that names the first wrong one.

        source: what the message names, or the document, whose lines it then names; place: of the values in it.
        """
        try:
            return cls.model_validate_json(json.dumps(values), strict=True)
        except ValidationError as error:
            raise SettingsError(explained(error, source, place)) from error


def optional(kind: type[Settings], text: str = "{}", skip: tuple[str, ...] = ()) -> dict[str, Any]:
    """Fields for ``create_model``: those of a declaration, each None if absent, with ``text`` around its description."""
    found: dict[str, Any] = {}
    for name, declared in kind.model_fields.items():
        if name not in skip:
            bounded: Any = Annotated[(declared.annotation, *declared.metadata)] if declared.metadata else declared.annotation
            found[name] = (bounded | None, Field(default=None, description=text.format(declared.description)))
    return found


def kinds(tag: Callable[[Any], str | None], message: str) -> Discriminator:
    """A union told apart by ``tag``, which gives the ``tag:`` and lower-case name of a class, or None with that message."""
    return Discriminator(tag, custom_error_type="kind", custom_error_message=message)


def explained(error: ValidationError, source: str | Document, place: tuple[str | int, ...] = ()) -> str:
    """One line for the first of the errors, unknown keys before all others: where it is, what is wrong, what is right."""
    first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    inside = _place(first["loc"])
    line = source.line((*place, *inside)) if isinstance(source, Document) else source
    return ": ".join(filter(None, (line, ".".join(map(str, (*place, *inside))), _reason(first, error))))


def _place(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The keys of a location, without the tags of unions and the marks of keys, which are pydantic's own."""
    return tuple(part for part in loc if not (isinstance(part, str) and part.startswith(("tag:", "[key]"))))


def _reason(error: ErrorDetails, of: ValidationError) -> str:
    value, kind, context = error["input"], error["type"], error.get("ctx", {})
    match kind:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            known = sorted(fields_at(of.title, error["loc"]))
            return f"is not a known key{nearest(str(error['loc'][-1]), known)}; known: {known}"
        case "literal_error":
            return f"is {value!r}; allowed: {context['expected']}"
        case "value_error":
            return str(context["error"])
        case "kind":
            return f"{error['msg']}; given: {value!r}"
        case "string_pattern_mismatch":
            return f"{value!r} does not match {context['pattern']}"
    return f"{value!r}: {error['msg'][0].lower()}{error['msg'][1:]}"


def fields_at(title: str, loc: tuple[str | int, ...]) -> list[str]:
    """Names of the fields beside an unknown key: those of the last model whose name or tag is in its location."""
    models = {each.__name__: each for each in _below(Settings)}
    tags = {f"tag:{name.lower()}": each for name, each in models.items()}
    found = models.get(title)
    for part in loc[:-1]:
        if part in tags:
            found = tags[str(part)]
        elif found is not None and part in found.model_fields:
            inner = next((each for each in _models(found.model_fields[str(part)].annotation)), None)
            found = inner or found
    return list(found.model_fields) if found else []


def _models(annotation: Any) -> Iterator[type[Settings]]:
    """Models inside an annotation such as ``Mapping[str, Model] | None``, in their order."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


def _below(kind: type[Settings]) -> Iterator[type[Settings]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def derived_seed(root: int, *purpose: str) -> int:
    """A seed of 31 bits for one use, so that no two uses share a stream and none depends on the order of jobs."""
    digest = hashlib.sha256("/".join((str(root), *purpose)).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def flags(*groups: Mapping[str, Any], **values: Any) -> str:
    """``--key value`` for each value that is not None, as a shell takes them; sequences become several words."""
    return " ".join(word for group in (*groups, values) for word in _flags(group))


def _flags(values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        name = f"--{key.replace('_', '-')}"
        if isinstance(value, bool):
            yield name if value else f"--no-{name[2:]}"
        elif isinstance(value, list | tuple):
            yield f"{name} {' '.join(shlex.quote(str(item)) for item in value)}"
        elif value is not None:
            yield f"{name} {shlex.quote(str(value))}"
