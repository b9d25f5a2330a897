"""What the training loop asks of an objective, and of a validation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from bench.encoder.model import LateInteraction
from bench.errors import SettingsError


@dataclass(frozen=True)
class Losses:
    """Of some queries: the loss to follow, a mean over them; its parts by name, means as well and unweighted; how many
    have their first passage ranked best; how many tokens were read.
    """

    loss: torch.Tensor
    parts: Mapping[str, torch.Tensor]
    hits: torch.Tensor
    tokens: int


class Objective(Protocol):
    """What is trained for. parts: the names of the parts of its loss."""

    @property
    def parts(self) -> Sequence[str]: ...

    def losses(self, encoder: LateInteraction, positions: np.ndarray, precision: str, device: str) -> Losses:
        """The losses of the training examples at ``positions [micro batch]``, which may see each other."""

    def names(self, positions: np.ndarray) -> list[Any]:
        """What people call the queries of these examples."""


@dataclass(frozen=True)
class Validation:
    """Every so many steps, and after the last, ``value(encoder)`` is the ``measure`` on held-out queries; more is better."""

    every: int
    measure: str
    value: Callable[[LateInteraction], float]

    def __post_init__(self) -> None:
        if self.every < 1:
            raise SettingsError(f"validate_every {self.every} of a training is below 1 step")
