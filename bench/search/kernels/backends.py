"""Kernels by name."""

from typing import TYPE_CHECKING, Literal, get_args

from bench.errors import SettingsError
from bench.index.index import Index
from bench.search.kernels.base import Kernels

if TYPE_CHECKING:
    from bench.search.kernels.grouped_cpu import GroupedCPU
    from bench.search.kernels.reference import Reference

Backend = Literal["cpu", "cuda", "reference"]


def open_kernels(name: str, index: Index, threads: int = 1) -> Kernels:
    """Return kernels by name over an index, which is compressed unless they are for CUDA.

    Raise SettingsError for an unknown name, and where they cannot run.
    """
    if name == "cuda":
        from bench.search.kernels.cuda import CUDA

        return CUDA(index)
    if index.compressed is None:
        raise SettingsError("kernels search compressed indexes, this one holds uncompressed vectors; use the engine exact")
    if name == "reference":
        from bench.search.kernels.reference import Reference

        return Reference(index, index.compressed)
    if name == "cpu":
        from bench.search.kernels.cpu import CPU

        return CPU(index, index.compressed, threads=threads)
    raise SettingsError(f"kernels {name!r} are not one of {list(get_args(Backend))}")


def open_grouped(name: str, index: Index, threads: int = 1) -> "GroupedCPU | Reference":
    """Return kernels of the engine ``grouped`` by name, ``cpu`` or ``reference``, over a compressed index."""
    assert index.compressed is not None
    if name == "cpu":
        from bench.search.kernels.grouped_cpu import GroupedCPU

        return GroupedCPU(index, index.compressed, threads=threads)
    if name == "reference":
        from bench.search.kernels.reference import Reference

        return Reference(index, index.compressed)
    raise SettingsError(f"kernels {name!r} of the engine grouped are not one of ['cpu', 'reference']: it runs on the CPU")
