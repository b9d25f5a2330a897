"""Pool factors: where near vectors of passages are merged, what is made of them has the factor in its name.

``residual-2.pool-3`` is the codec residual-2 over the vectors of a model after ``bench merge --pool 3``. A name can end in a
seed besides (``bench.config.seeds``), which stands behind the factor. Without a factor, vectors are as encoded.
"""

import re
from collections.abc import Mapping
from typing import Any

NONE = 1  # the factor of vectors as they were encoded


def named(name: str, factor: int) -> str:
    """Return a name without seed with a factor."""
    return name if factor == NONE else f"{name}.pool-{factor}"


def split(name: str) -> tuple[str, int]:
    """Return a name without its factor, with its seed if it has one, and the factor."""
    found = re.fullmatch(r"(.*)\.pool-([0-9]+)((?:\.seed-[0-9]+)?)", name)
    return (found[1] + found[3], int(found[2])) if found else (name, NONE)


def factor_of(name: str) -> int:
    return split(name)[1]


def of(settings: Mapping[str, Any]) -> int:
    """Return the factor of an index by the settings in its manifest."""
    return settings.get("encode", {}).get("pool", NONE)


def label(name: str) -> str:
    """Return a name as figures and text write it, such as ``residual-2, pool 3``."""
    plain, factor = split(name)
    return name if factor == NONE else f"{plain}, pool {factor}"
