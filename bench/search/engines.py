"""The search engine of a preset over an index."""

from typing import Protocol

import numpy as np

from bench.config.presets import ColBERTv2Preset, ExactPreset, FlatPreset, GroupedPreset, PlaidPreset, Preset
from bench.errors import SettingsError
from bench.index.index import Index
from bench.search.kernels.backends import open_grouped, open_kernels
from bench.search.ranking import Ranking
from bench.search.stage_times import Watch, unwatched


class Engine(Protocol):
    """The interface of every engine; ``watch`` is called at the end of each stage of a query."""

    def search(self, queries: np.ndarray, k: int, watch: Watch = unwatched) -> list[Ranking]: ...


def open_engine(preset: Preset, index: Index, kernels: str = "cpu", threads: int = 1) -> Engine:
    """Return the engine of a preset over an index, which uses the kernels of that name wherever there are some for it.

    Raise SettingsError for an engine that needs an inverted list over an index without one, and for one without kernels of
    that name.
    """
    if preset.needs_lists and index.compressed is None:
        raise SettingsError(f"the engine {preset.engine} needs an inverted list, an uncompressed index has none; use exact")
    match preset:
        case ExactPreset():
            from bench.search.exact import Exact, ExactKernels

            on_host = index.compressed is None and kernels != "cuda"
            return Exact(index) if on_host else ExactKernels(open_kernels(kernels, index, threads))
        case FlatPreset():
            from bench.search.flat import Flat

            return Flat(index, threads)
        case ColBERTv2Preset():
            from bench.search.colbertv2 import ColBERTv2

            return ColBERTv2(open_kernels(kernels, index, threads), **preset.values())
        case PlaidPreset():
            from bench.search.plaid import Plaid

            return Plaid(open_kernels(kernels, index, threads), **preset.values())
        case GroupedPreset():
            from bench.search.grouped import Grouped
            from bench.search.kernels.groups import find

            opened = open_grouped(kernels, index, threads)
            values = preset.values()
            return Grouped(opened, find(opened.compressed.codec, values.pop("groups"), threads), **values)
    raise TypeError(f"{type(preset).__name__} names no engine")
