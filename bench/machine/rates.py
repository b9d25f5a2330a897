"""Rates of a machine, measured beside what bounds them."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Row:
    """One measurement: value in ``unit``, and the bound or the alternative that it is beside."""

    what: str
    value: float
    unit: str
    beside: str = ""
    other: float | None = None

    @property
    def ratio(self) -> float | None:
        """Value over the other for rates, the other over the value for times: the share that was reached."""
        if self.other is None:
            return None
        return self.other / self.value if self.unit in ("s", "ms") else self.value / self.other


def seconds(device: str, work: Callable[..., object], *given: Any) -> float:
    """Return the seconds of one call, the device's work included."""
    _wait(device)
    start = time.perf_counter()
    work(*given)
    _wait(device)
    return time.perf_counter() - start


def medians(device: str, repeats: int, *works: Callable[[], object]) -> list[float]:
    """Return the median seconds of each call, alternating; each is called once before."""
    for work in works:
        work()
    taken = [[seconds(device, work) for work in works] for _ in range(repeats)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
