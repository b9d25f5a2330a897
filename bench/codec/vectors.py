"""Vectors that are in memory, or read where they are looked at."""

from typing import Protocol

import numpy as np


class Unread(Protocol):
    """Vectors that are read where they are indexed, such as ``VectorSample`` of the index package;
    ``only``: some of them, unread."""

    @property
    def shape(self) -> tuple[int, int]: ...
    def __len__(self) -> int: ...
    def __getitem__(self, where: slice | np.ndarray) -> np.ndarray: ...
    def only(self, rows: np.ndarray) -> "Unread": ...


Vectors = np.ndarray | Unread


def blocks(rows: int, size: int = 65_536) -> list[slice]:
    """Stretches of rows that bound the memory of a pass over many."""
    return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]
