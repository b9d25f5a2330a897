"""The parts of a compressed index that are made shard by shard: codes, and residual bytes of a codec.

A part is bound to what it was made from, so that an index is never put together from parts of different shards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.codec.codec import check_codes
from bench.errors import DamagedFileError, DataError
from bench.files.opening import open_folder
from bench.files.storage import FolderWriter, Manifest, read_array

CODES, RESIDUALS = "codes", "residuals"
VERBS = {CODES: "assign", RESIDUALS: "compress"}
VERSION = 1


@dataclass(frozen=True)
class Part:
    """array, memory-mapped: codes ``[vectors]`` unsigned, or residual bytes ``[vectors, bytes]`` uint8."""

    array: np.ndarray
    manifest: Manifest

    def check_made_from(self, folder: Path, **inputs: str) -> None:
        """Raise DataError unless the part was made from folders with these digests."""
        for name, digest in inputs.items():
            if self.manifest.inputs.get(name) != digest:
                raise DataError(
                    f"{folder} was made from other {name} than are given with it; delete it and make it again with `bench "
                    f"{VERBS[self.manifest.kind]}`"
                )


def write_codes(folder: Path, codes: np.ndarray, centroids: int, **manifest: Mapping[str, Any]) -> Manifest:
    """Write the codes of a shard among that many centroids."""
    check_codes(codes, centroids, str(folder))
    writer = FolderWriter(folder, CODES, VERSION)
    writer.array(f"{CODES}.npy", codes)
    return writer.close(counts={"vectors": len(codes), "centroids": centroids}, **manifest)


def open_codes(folder: Path) -> Part:
    """Return the codes of a shard. Raise DamagedFileError for a code that is no centroid."""
    part = _open(folder, CODES, 1)
    if part.array.dtype.kind != "u":
        raise DamagedFileError(f"{folder} has codes of {part.array.dtype}, expected an unsigned type; make it again")
    check_codes(part.array, part.manifest.counts.get("centroids", 0), str(folder))
    return part


def open_residuals(folder: Path) -> Part:
    """Return the residual bytes of a shard."""
    part = _open(folder, RESIDUALS, 2)
    if part.array.dtype != np.uint8:
        raise DamagedFileError(f"{folder} has residuals of {part.array.dtype}, expected uint8; make it again")
    return part


def _open(folder: Path, kind: str, dimensions: int) -> Part:
    name = f"{kind}.npy"
    manifest = open_folder(folder, kind, VERSION, VERBS[kind], [name])
    array = read_array(folder / name)
    if array.ndim != dimensions:
        raise DamagedFileError(f"{folder / name} has the shape {array.shape}, expected {dimensions} dimensions")
    manifest.check_counts(folder, vectors=len(array))
    return Part(np.asarray(array), manifest)
