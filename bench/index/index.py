"""An index on disk and its reader. The files are plain ``.npy`` and JSON, and can be moved, copied and memory-mapped."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.codec import codec as codecs
from bench.codec.codec import Codec, check_codes
from bench.errors import DamagedFileError
from bench.files.finite import check_finite
from bench.files.opening import check_listed, read_manifest, verified
from bench.files.storage import MANIFEST, Manifest, read_array, read_lines, release
from bench.index import inverted
from bench.index.ids import id_ranks

KIND = "index"
VERSION = 4
ALWAYS = ("doclens.npy", "ids.txt")  # of an index of any codec
COMPRESSED = ("codes.npy", "residuals.npy", "norms.npy", "norm_levels.npy", "lists.npy", "list_offsets.npy")
BYTES = ("residuals", "norms", "lists")


@dataclass(frozen=True)
class IndexFiles:
    """The files of an index; an uncompressed one has ``vectors`` instead of codes, residuals and lists."""

    folder: Path

    @property
    def vectors(self) -> Path:
        return self.folder / "vectors.npy"

    @property
    def codes(self) -> Path:
        return self.folder / "codes.npy"

    @property
    def residuals(self) -> Path:
        return self.folder / "residuals.npy"

    @property
    def norms(self) -> Path:
        return self.folder / "norms.npy"

    @property
    def norm_levels(self) -> Path:
        return self.folder / "norm_levels.npy"

    @property
    def lists(self) -> Path:
        return self.folder / "lists.npy"

    @property
    def list_offsets(self) -> Path:
        return self.folder / "list_offsets.npy"

    @property
    def doclens(self) -> Path:
        return self.folder / "doclens.npy"

    @property
    def ids(self) -> Path:
        return self.folder / "ids.txt"


@dataclass(frozen=True)
class Compressed:
    """codes ``[vectors]``, residuals ``[vectors, bytes]``, and the inverted list (``bench.index.inverted``).

    ``norm_levels[norms]`` ``[vectors]`` is the norm by which decoding divides, up to half a level. Exact searches use it
    only for bounds.
    """

    codec: Codec
    codes: np.ndarray
    residuals: np.ndarray
    norms: np.ndarray
    norm_levels: np.ndarray
    lists: np.ndarray
    list_offsets: np.ndarray

    def decode(self, where: slice | np.ndarray) -> np.ndarray:
        """Return float32 vectors ``[., dim]`` at the given positions, after the map of the codec."""
        return self.codec.decode(self.codes[where], self.residuals[where])


@dataclass(frozen=True)
class Index:
    """ids: passage ids by position; doclens: ``[passages]``; the vectors are in either ``raw`` or ``compressed``."""

    manifest: Manifest
    ids: list[str]
    doclens: np.ndarray
    raw: np.ndarray | None
    compressed: Compressed | None

    @functools.cached_property
    def offsets(self) -> np.ndarray:
        """Offsets ``[passages + 1]`` int64: passage p has the vectors ``offsets[p]`` to ``offsets[p + 1]``."""
        return np.concatenate([[0], np.cumsum(self.doclens, dtype=np.int64)])

    @functools.cached_property
    def id_rank(self) -> np.ndarray:
        return id_ranks(self.ids)

    @property
    def dim(self) -> int:
        return int(self.manifest.settings["dim"])

    def __len__(self) -> int:
        return len(self.doclens)

    def vectors(self, where: slice | np.ndarray) -> np.ndarray:
        """Return float32 vectors ``[., dim]`` at the given positions, decoded if the index is compressed."""
        if self.compressed is not None:
            return self.compressed.codec.mapped_back(self.compressed.decode(where))
        assert self.raw is not None
        import torch  # converts halves several times as fast as numpy; most jobs that open an index need no torch

        return torch.from_numpy(np.array(self.raw[where])).float().numpy()

    def positions(self, passages: np.ndarray) -> np.ndarray:
        """Return the positions of all vectors of the given passages, passage by passage."""
        starts = self.starts(passages)
        lengths = self.doclens[passages]
        return np.arange(lengths.sum()) + np.repeat(self.offsets[passages] - starts, lengths)

    def starts(self, passages: np.ndarray) -> np.ndarray:
        """Return where each of the given passages begins in the result of ``positions``."""
        lengths = self.doclens[passages].astype(np.int64)
        return np.cumsum(lengths) - lengths


def open_index(folder: Path) -> Index:
    """Verify every file against the manifest and open the index, its large arrays memory-mapped.

    Raises DamagedFileError for a missing or changed file, another format version, or arrays that do not fit together: the
    compiled loops of a search trust what is opened here. Large arrays are read whole only where they are hashed as well.
    """
    manifest = read_manifest(folder, KIND, VERSION, "index", ALWAYS)
    with verified(folder, manifest) as hashed:
        return _checked(folder, manifest, hashed)


def _checked(folder: Path, manifest: Manifest, hashed: frozenset[str]) -> Index:
    files = IndexFiles(folder)
    ids = read_lines(files.ids)
    doclens = read_array(files.doclens, mapped=False)
    if doclens.ndim != 1 or doclens.dtype.kind not in "iu" or (doclens < 1).any():
        raise DamagedFileError(f"{files.doclens} does not hold lengths of at least 1; rebuild the index")
    raw = compressed = None
    if files.vectors.name in manifest.files:
        raw = read_array(files.vectors)
    else:
        check_listed(folder, manifest, [*codecs.FILES, *COMPRESSED])
        compressed = Compressed(
            codecs.load(folder),
            np.asarray(read_array(files.codes)),
            np.asarray(read_array(files.residuals)),
            np.asarray(read_array(files.norms)),
            read_array(files.norm_levels, mapped=False),
            np.asarray(read_array(files.lists)),
            read_array(files.list_offsets, mapped=False),
        )
    stored = len(raw) if raw is not None else len(compressed.codes) if compressed is not None else 0
    if len(set(ids)) != len(ids):
        raise DamagedFileError(f"{files.ids} has an id twice; rebuild the index")
    if len(ids) != len(doclens) or int(doclens.sum()) != stored:
        raise DamagedFileError(
            f"{folder} has {len(ids)} ids, {len(doclens)} doclens adding up to {int(doclens.sum())}, and {stored} vectors"
        )
    if compressed is not None:
        _check_arrays(folder, compressed, len(ids), hashed)
    elif raw is not None and (raw.ndim != 2 or raw.dtype != np.float16):
        raise DamagedFileError(f"{files.vectors} has {raw.dtype} of shape {raw.shape}, expected rows of float16; rebuild it")
    elif raw is not None and files.vectors.name in hashed:
        check_finite(raw, f"vectors of {folder}")
        release(raw)
    index = Index(manifest, ids, doclens, raw, compressed)
    check_counts(folder, manifest)
    return index


def check_counts(folder: Path, manifest: Manifest) -> None:
    """Raise DamagedFileError if counts or dim of a manifest are not those in the headers of the arrays."""
    files = IndexFiles(folder)
    raw = files.vectors.name in manifest.files
    vectors = read_array(files.vectors if raw else files.codes)
    found = {"passages": len(read_array(files.doclens)), "vectors": len(vectors)}
    centroids = vectors if raw else read_array(folder / codecs.CENTROIDS)
    manifest.check_counts(folder, **found, **({} if raw else {"centroids": len(centroids)}))
    if manifest.settings.get("dim") != centroids.shape[1]:
        raise DamagedFileError(
            f"{folder / MANIFEST} says dim {manifest.settings.get('dim')}, the files have {centroids.shape[1]}; rebuild it"
        )


def _check_arrays(folder: Path, index: Compressed, passages: int, hashed: frozenset[str]) -> None:
    centroids, offsets = len(index.codec.centroids), index.list_offsets
    expected = {
        "codes": ((len(index.codes),), "u", index.codes),
        "residuals": ((len(index.codes), index.codec.bytes), "u", index.residuals),
        "norms": (index.codes.shape, "u", index.norms),
        "norm_levels": ((256,), "f", index.norm_levels),
        "list_offsets": ((centroids + 1,), "u", offsets),
        "lists": ((int(offsets[-1]) if offsets.shape == (centroids + 1,) else 0,), "u", index.lists),
    }
    for name, (shape, kind, found) in expected.items():
        if (shape, kind) != (found.shape, found.dtype.kind) or (name in BYTES and found.dtype != np.uint8):
            raise DamagedFileError(
                f"{name} of {folder} has the shape {found.shape} of {found.dtype}, expected {shape}; rebuild the index"
            )
    files = IndexFiles(folder)
    if files.codes.name in hashed:
        check_codes(index.codes, centroids, str(folder))
    check_finite(index.norm_levels, f"norm_levels of {folder}")
    if files.lists.name in hashed and (wrong := inverted.first_wrong(index.lists, offsets, passages)) >= 0:
        raise DamagedFileError(f"the list of centroid {wrong} in {folder} does not name passages of the index; rebuild it")
