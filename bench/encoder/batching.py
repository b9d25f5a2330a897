"""Batches of texts of like length, and the precision that they run in."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np
import torch

WASTE = 0.05


def autocast(precision: str, device: str) -> AbstractContextManager:
    """Return a context in which matrix products run in ``precision``, which is "float32" or "bfloat16"."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def length_batches(
    lengths: Sequence[int] | np.ndarray, tokens: int, *, even_from: int | None = None
) -> Iterator[np.ndarray]:
    """Yield positions sorted by length, in batches of at most ``tokens`` tokens with padding (or of a single text).

    even_from: tokens from which on a batch ends before a text with which more than ``WASTE`` of it would be padding.
    """
    order = np.argsort(lengths, kind="stable")
    start = held = 0
    for stop, length in enumerate(np.asarray(lengths)[order].tolist()):
        size = length * (stop + 1 - start)
        uneven = even_from is not None and held >= even_from and size * (1 - WASTE) > held + length
        if stop > start and (size > tokens or uneven):
            yield order[start:stop]
            start, held = stop, 0
        held += length
    if len(order):
        yield order[start:]
