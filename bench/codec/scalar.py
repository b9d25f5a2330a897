"""Values in a byte or less: the nearest of a few ascending levels."""

import numpy as np


def middles(levels: np.ndarray) -> np.ndarray:
    """``[levels - 1]``: half-way between each level and the next one."""
    return (levels[1:] + levels[:-1]) / 2


def nearest(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """``[values]`` uint8: the nearest of up to 256 levels, the lower one of a value half-way."""
    return np.searchsorted(middles(levels), values).astype(np.uint8)
