"""Interfaces of a training objective and of a validation, as the training loop uses them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from bench.encoder.model import LateInteraction
from bench.errors import SettingsError


@dataclass(frozen=True)
class Losses:
    """Losses of several queries. loss: the mean over the queries, to be minimised; parts: mean of each loss term by
    name, unweighted; hits: number of queries whose positive is ranked first; tokens: number of tokens read.
    """

    loss: torch.Tensor
    parts: Mapping[str, torch.Tensor]
    hits: torch.Tensor
    tokens: int


class Objective(Protocol):
    """A training objective. parts: names of the loss terms."""

    @property
    def parts(self) -> Sequence[str]: ...

    def losses(self, encoder: LateInteraction, positions: np.ndarray, precision: str, device: str) -> Losses:
        """Return the losses of the examples at ``positions [micro batch]``; examples may be negatives of each other."""

    def names(self, positions: np.ndarray) -> list[Any]:
        """Return the names of the queries of these examples for error messages."""


@dataclass(frozen=True)
class Validation:
    """Validation on held-out queries, every ``every`` steps and after the last step. ``value(encoder)`` returns the
    ``measure``; a higher value is better.
    """

    every: int
    measure: str
    value: Callable[[LateInteraction], float]

    def __post_init__(self) -> None:
        if self.every < 1:
            raise SettingsError(f"validate_every {self.every} of a training is below 1 step")
