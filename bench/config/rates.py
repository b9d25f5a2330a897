"""Codecs beside each other in a config: at which depths rankings are compared, and which codec with which."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.codec.names import UNCOMPRESSED
from bench.errors import SettingsError


@dataclass(frozen=True, kw_only=True)
class Rates:
    """depths: of the overlap with exhaustive search over uncompressed vectors; against: a codec, and the one that it is
    compared with."""

    depths: Sequence[int]
    against: Mapping[str, str]


def resolve(values: Mapping[str, Any], searches: Iterable[tuple[str, str, str]], depth: int, where: str) -> Rates:
    """searches: (model, codec, preset) of every run; depth: of the runs. Raises SettingsError for what no run can show."""
    searches = set(searches)
    if deep := [asked for asked in values["depths"] if asked > depth]:
        raise SettingsError(f"depths {deep} of {where} look deeper than the runs of depth {depth}")
    models = {model for model, codec, _ in searches if codec != UNCOMPRESSED}
    if lone := sorted(model for model in models if (model, UNCOMPRESSED, "exact") not in searches):
        raise SettingsError(f"{where} compares with {UNCOMPRESSED} searched by the preset exact, which models {lone} lack")
    codecs = {codec for _, codec, _ in searches}
    against = values.get("against", {})
    if unknown := sorted({*against, *against.values()} - codecs):
        raise SettingsError(f"against of {where} names the codecs {unknown}; those of the grid: {sorted(codecs)}")
    return Rates(depths=tuple(values["depths"]), against=against)
