"""Presets: a named set of values for one engine, checked before anything runs."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Protocol

import numpy as np

from bench.errors import SettingsError
from bench.index.index import Index
from bench.search.kernels.backends import open_kernels
from bench.search.ranking import Ranking
from bench.search.stage_times import Watch, unwatched


class Engine(Protocol):
    """What every engine does; ``watch`` is told of each stage of a query as it ends."""

    def search(self, queries: np.ndarray, k: int, watch: Watch = unwatched) -> list[Ranking]: ...


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Values for one engine. ``scored`` is how many passages its last stage scores at most, None for all."""

    engine: ClassVar[str]
    needs_lists: ClassVar[bool] = False

    @property
    def scored(self) -> int | None:
        return None

    def open(self, index: Index, kernels: str = "cpu", threads: int = 1) -> Engine:
        """The engine over an index, with the kernels of that name where it is compressed."""
        raise TypeError(f"{type(self).__name__} names no engine to search {index} with")

    def values(self) -> dict[str, Any]:
        return {"engine": self.engine, **asdict(self)}

    def describe(self) -> str:
        """The values in one line, as tables print them."""
        return ", ".join(f"{name}={value}" for name, value in asdict(self).items())


@dataclass(frozen=True, kw_only=True)
class ExactPreset(Preset):
    """MaxSim with every passage."""

    engine = "exact"

    def open(self, index: Index, kernels: str = "cpu", threads: int = 1) -> Engine:
        from bench.search.exact import Exact, ExactCodes

        return Exact(index) if index.compressed is None else ExactCodes(open_kernels(kernels, index, threads))


@dataclass(frozen=True, kw_only=True)
class FlatPreset(Preset):
    """Single vectors, by FAISS."""

    engine = "flat"

    def open(self, index: Index, kernels: str = "cpu", threads: int = 1) -> Engine:
        from bench.search.flat import Flat

        return Flat(index, threads)


@dataclass(frozen=True, kw_only=True)
class ColBERTv2Preset(Preset):
    """arXiv 2112.01488, section 3.5: lists probed per query vector, passages decoded whole."""

    engine = "colbertv2"
    needs_lists = True
    nprobe: int
    ncandidates: int

    @property
    def scored(self) -> int:
        return self.ncandidates

    def open(self, index: Index, kernels: str = "cpu", threads: int = 1) -> Engine:
        from bench.search.colbertv2 import ColBERTv2

        _check_lists(index, self)
        return ColBERTv2(open_kernels(kernels, index, threads), nprobe=self.nprobe, ncandidates=self.ncandidates)


@dataclass(frozen=True, kw_only=True)
class PlaidPreset(Preset):
    """arXiv 2205.09707, table 1: lists probed per query vector, pruning threshold (-1: none), passages that it keeps."""

    engine = "plaid"
    needs_lists = True
    ncells: int
    centroid_score_threshold: float
    ndocs: int

    @property
    def scored(self) -> int:
        return self.ndocs // 4

    def open(self, index: Index, kernels: str = "cpu", threads: int = 1) -> Engine:
        from bench.search.plaid import Plaid

        _check_lists(index, self)
        return Plaid(
            open_kernels(kernels, index, threads),
            ncells=self.ncells,
            centroid_score_threshold=self.centroid_score_threshold,
            ndocs=self.ndocs,
        )


PRESETS: dict[str, type[Preset]] = {
    preset.engine: preset for preset in (ExactPreset, ColBERTv2Preset, PlaidPreset, FlatPreset)
}


def parse(values: Mapping[str, Any], source: str) -> Preset:
    """The preset that ``values`` describe; raises SettingsError for an unknown engine, key or value."""
    engine = values.get("engine")
    if engine not in PRESETS:
        raise SettingsError(f"engine {engine!r} of {source} is not one of {sorted(PRESETS)}")
    kind = PRESETS[engine]
    expected = {field.name: field.type for field in fields(kind)}
    given = {key: value for key, value in values.items() if key != "engine"}
    if set(given) != set(expected):
        raise SettingsError(f"engine {engine!r} of {source} takes the keys {sorted(expected)}, given were {sorted(given)}")
    for key, value in given.items():
        if not _fits(value, whole=expected[key] is int):
            wanted = "whole number of at least 1" if expected[key] is int else "finite number"
            raise SettingsError(f"{key} {value!r} of {source} must be a {wanted}")
    return kind(**given)


def _fits(value: Any, *, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        return False
    return value >= 1 if whole else math.isfinite(value)


def check_depth(preset: Preset, depth: int, source: str) -> None:
    """Refuse a preset whose last stage cannot fill a ranking of ``depth`` passages."""
    if preset.scored is not None and preset.scored < depth:
        raise SettingsError(
            f"{source}: its last stage scores at most {preset.scored} passages, but rankings of depth {depth} are asked "
            f"for; raise {'ncandidates' if preset.engine == 'colbertv2' else 'ndocs'} or lower depth"
        )


def _check_lists(index: Index, preset: Preset) -> None:
    if index.compressed is None:
        raise SettingsError(f"the engine {preset.engine} needs an inverted list, an uncompressed index has none; use exact")
