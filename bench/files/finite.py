"""Numbers that are not finite are refused by whoever writes them and by whoever reads them."""

from typing import Protocol

import numpy as np

from bench.errors import DamagedFileError

ROWS = 65_536


class Names(Protocol):
    """What rows are called in a refusal."""

    def __getitem__(self, row: int, /) -> str: ...


def first_not_finite(array: np.ndarray) -> int | None:
    """Return the first row of ``[rows, ...]`` that has NaN or an infinity, or None; a block of rows at a time."""
    if array.dtype.kind != "f":
        return None
    for start in range(0, len(array), ROWS):
        some = np.asarray(array[start : start + ROWS])
        whole = np.isfinite(some)
        if not whole.all():
            return start + int(whole.reshape(len(some), -1).all(axis=1).argmin())
    return None


def check_finite(array: np.ndarray, source: str, ids: Names | None = None) -> None:
    """Raise DamagedFileError that names the first row of ``[rows, ...]`` with NaN or an infinity, by its name if given.

    source: what the numbers are, and where they come from.
    """
    if (row := first_not_finite(array)) is not None:
        name = f"row {row}" if ids is None else ids[row]
        raise DamagedFileError(
            f"{source}: {name} is not finite (NaN or an infinity), so that nothing can be computed from it"
        )
