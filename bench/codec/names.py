"""The codec axis: what a name such as ``residual-2`` stands for."""

import re

from bench.errors import SettingsError

UNCOMPRESSED = "fp16"
NBITS = (1, 2, 4, 8)


def residual_nbits(name: str, source: str = "config") -> int | None:
    """Bits per dimension of a residual codec, None for the uncompressed one; raises SettingsError for any other name."""
    if name == UNCOMPRESSED:
        return None
    match = re.fullmatch(r"residual-(\d+)", name)
    known = [UNCOMPRESSED, *(f"residual-{nbits}" for nbits in NBITS)]
    if match is None:
        raise SettingsError(f"codec {name!r} in {source} is not one of {known}")
    if (nbits := int(match[1])) not in NBITS:
        raise SettingsError(
            f"nbits {nbits} of codec {name!r} in {source} is not one of {list(NBITS)}; "
            f"for uncompressed vectors use the codec {UNCOMPRESSED}"
        )
    return nbits
