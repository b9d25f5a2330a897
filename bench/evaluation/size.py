"""Bytes of an index by component, and the ratio to uncompressed vectors in the ways that papers count it."""

from collections.abc import Mapping
from typing import Any

from bench.codec.names import SPREADS, TABLES
from bench.files.storage import Manifest

BYTES_PER_FLOAT16 = 2
COMPONENTS: dict[str, tuple[str, ...]] = {
    "float16": ("vectors.npy",),
    "codes": ("codes.npy",),
    "residuals": ("residuals.npy",),
    "inverted list": ("lists.npy", "list_offsets.npy"),
    "norms": ("norms.npy",),
    "centroids": ("centroids.npy", "centroid_scales.npy", f"{SPREADS}.npy"),
    "other": (*(f"{name}.npy" for name in TABLES), "norm_levels.npy", "doclens.npy", "ids.txt"),
}


def by_component(manifest: Manifest) -> dict[str, int]:
    """Return the bytes of each component of an index; every file belongs to exactly one component."""
    known = {name: component for component, names in COMPONENTS.items() for name in names}
    sizes = dict.fromkeys(COMPONENTS, 0)
    for name, file in manifest.files.items():
        sizes[known[name]] += int(file["bytes"])
    return sizes


def account(manifest: Manifest) -> dict[str, Any]:
    """The byte ledger of an index, beside the same vectors as plain float16.

    ratios, uncompressed over compressed, all without "other" (ids, lengths and a few kB of tables, the same on both
    sides): ``paper``: vectors over codes + residuals + norms + inverted list, as in arXiv 2112.01488, section 5.3, where
    centroids are negligible; ``with_centroids``: the same plus centroids; ``list_on_both_sides``: inverted list added to
    the uncompressed side too, which needs one for candidates; None for the uncompressed index.
    """
    sizes = by_component(manifest)
    vectors = int(manifest.counts["vectors"])
    plain = BYTES_PER_FLOAT16 * int(manifest.settings["dim"]) * vectors
    total = sum(sizes.values())
    return {
        "bytes": sizes,
        "total": total,
        "vectors": vectors,
        "passages": int(manifest.counts["passages"]),
        "centroids": int(manifest.counts.get("centroids", 0)),
        "bytes_per_vector": total / vectors,
        "ratio": _ratios(sizes, plain) if sizes["residuals"] else None,
    }


def _ratios(sizes: Mapping[str, int], plain: int) -> dict[str, float]:
    coded = sizes["codes"] + sizes["residuals"] + sizes["norms"]
    lists, centroids = sizes["inverted list"], sizes["centroids"]
    return {
        "paper": plain / (coded + lists),
        "with_centroids": plain / (coded + lists + centroids),
        "list_on_both_sides": (plain + lists) / (coded + lists),
    }
