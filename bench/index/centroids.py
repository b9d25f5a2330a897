"""Centroids on disk, with the held-out vectors that codecs are fitted on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.storage import FolderWriter, Manifest, open_folder, read_array

KIND = "centroids"
VERSION = 1


@dataclass(frozen=True)
class Centroids:
    """centroids ``[centroids, dim]`` float32 of norm 1; heldout ``[heldout, dim]`` float16."""

    centroids: np.ndarray
    heldout: np.ndarray
    manifest: Manifest


def write_centroids(
    folder: Path,
    centroids: np.ndarray,
    heldout: np.ndarray,
    *,
    counts: Mapping[str, int],
    **manifest: Mapping[str, Any],
) -> Manifest:
    writer = FolderWriter(folder, KIND, VERSION)
    writer.array("centroids.npy", centroids)
    writer.array("heldout.npy", heldout)
    return writer.close(counts={**counts, "centroids": len(centroids), "heldout": len(heldout)}, **manifest)


def open_centroids(folder: Path) -> Centroids:
    manifest = open_folder(folder, KIND, VERSION, "centroids")
    centroids, heldout = (read_array(folder / f"{name}.npy", mapped=False) for name in ("centroids", "heldout"))
    return Centroids(centroids, heldout, manifest)
