"""Settings that every training run has, and its learning rate by step."""

import math
from dataclasses import dataclass

from bench.errors import SettingsError

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """batch: queries per step, over all devices; learning_rate: the peak; warmup: steps; precision: of matrix products.

    micro_batch: queries whose vectors are in memory at once on one device, None for all of its part of a batch.
    Raises SettingsError for values that no training can have.
    """

    steps: int
    batch: int
    learning_rate: float
    warmup: int
    precision: str
    micro_batch: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("steps", 1), ("batch", 1), ("warmup", 0)):
            if getattr(self, name) < least:
                raise SettingsError(f"{name} {getattr(self, name)} of a training is below {least}")
        if self.micro_batch is not None and not 1 <= self.micro_batch <= self.batch:
            raise SettingsError(f"micro_batch {self.micro_batch} of a training is not from 1 to its batch of {self.batch}")
        check_positive("learning_rate", self.learning_rate)
        if self.precision not in PRECISIONS:
            raise SettingsError(f"precision {self.precision!r} of a training is not one of {', '.join(PRECISIONS)}")

    def rate(self, step: int) -> float:
        """Share of the peak learning rate at a step from 0: linear up over ``warmup`` steps, then linear down to zero."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        return (self.steps - step) / max(self.steps - self.warmup, 1)


def check_positive(name: str, value: float) -> None:
    """Raise SettingsError unless a setting is a finite number above zero."""
    if not (math.isfinite(value) and value > 0):
        raise SettingsError(f"{name} {value} of a training must be a finite number above 0")
