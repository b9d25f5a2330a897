"""The codec axis: what a name such as ``residual-2`` or ``pq-16`` stands for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.errors import SettingsError

UNCOMPRESSED = "fp16"
NBITS, BYTES = "nbits", "bytes"
WITH_GAINS, NEEDS_QUERIES = "rotated", "aware"
WITH_SPREADS = ("opq", "aware")
FAMILIES: Mapping[str, tuple[str, Sequence[int]]] = {
    "residual": (NBITS, (1, 2, 4, 8)),
    "lloyd": (NBITS, (1, 2, 4)),
    "rotated": (NBITS, (1, 2, 4)),
    "pq": (BYTES, (8, 16, 32)),
    "opq": (BYTES, (8, 16, 32)),
    "aware": (BYTES, (8, 16, 32)),
}
KNOWN = (UNCOMPRESSED, *(f"{family}-{size}" for family, (_, sizes) in FAMILIES.items() for size in sizes))
TIMES = (2, 4, 8)
TABLES = ("codebook", "cutoffs", "weights", "map", "gains")  # arrays of a fitted codec beside its centroids, by file
SPREADS = "spreads"  # and one with a value for each centroid


@dataclass(frozen=True)
class CodecName:
    """size: bits per dimension (nbits) or bytes per vector, as ``FAMILIES`` says; times: how many times as many centroids as
    the paper has for so many vectors, written as in ``opq-16x4`` unless it is 1; by_token: whether they are found within
    the tokens of the vocabulary (``bench.codec.token_centroids``), written as in ``opq-16t`` and ``opq-16x4t``.
    """

    family: str
    size: int
    times: int = 1
    by_token: bool = False

    def __str__(self) -> str:
        return f"{self.family}-{self.size}{self.centroids}"

    @property
    def centroids(self) -> str:
        """What the name says of centroids: nothing for the paper's, else as in ``x4``, ``t`` or ``x4t``."""
        return (f"x{self.times}" if self.times > 1 else "") + ("t" if self.by_token else "")

    @property
    def needs_queries(self) -> bool:
        """Whether it is fitted on query vectors as well."""
        return self.family == NEEDS_QUERIES

    @property
    def centroid_bytes(self) -> int:
        """Beside a byte a dimension: the scale of these, and the spread if it has one."""
        return 4 if self.family in WITH_SPREADS else 2

    def bytes(self, dim: int) -> int:
        """Bytes of the residual of a vector of that dim, with that of its gain if it has one."""
        self.check_dim(dim)
        if FAMILIES[self.family][0] == BYTES:
            return self.size
        return dim * self.size // 8 + (self.family == WITH_GAINS)

    def check_dim(self, dim: int) -> None:
        """Raise SettingsError unless vectors of that dim fill whole bytes, all bytes having equally many dimensions."""
        if FAMILIES[self.family][0] == NBITS and dim * self.size % 8:
            raise SettingsError(
                f"dim {dim} at {self.size} bits does not fill whole bytes; use a multiple of {8 // self.size}"
            )
        if FAMILIES[self.family][0] == BYTES and dim % self.size:
            raise SettingsError(f"dim {dim} does not divide into {self.size} bytes; use a multiple of {self.size}")


def parse(name: str, source: str = "config") -> CodecName | None:
    """The codec of this name, None for the uncompressed one; raises SettingsError for any other name."""
    if name == UNCOMPRESSED:
        return None
    match = re.fullmatch(r"([a-z]+)-(\d+)(?:x(\d+))?(t?)", name)
    if match is None or match[1] not in FAMILIES:
        raise SettingsError(f"codec {name!r} in {source} is not one of {list(KNOWN)}")
    if match[3] and int(match[3]) not in TIMES:
        raise SettingsError(
            f"codec {name!r} in {source} asks for {match[3]} times the paper's centroids, not one of {list(TIMES)}; "
            f"for the paper's number leave x{match[3]} away"
        )
    unit, sizes = FAMILIES[match[1]]
    if (size := int(match[2])) not in sizes:
        raise SettingsError(
            f"{unit} {size} of codec {name!r} in {source} is not one of {list(sizes)}; "
            f"for uncompressed vectors use the codec {UNCOMPRESSED}"
        )
    return CodecName(match[1], size, int(match[3] or 1), bool(match[4]))


def family_of(name: str) -> str:
    """Return the family of a compressed codec. Raise SettingsError for any other name."""
    found = parse(name)
    if found is None:
        raise SettingsError(f"codec {name!r} is of no family, since it does not compress")
    return found.family
