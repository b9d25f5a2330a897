"""Build an index from shards and their compressed parts, shard by shard."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.codec.codec import Codec, check_codes
from bench.codec.scalar import nearest
from bench.errors import DataError
from bench.files.storage import FolderWriter, Manifest, growing_array, release, write_text
from bench.index import inverted
from bench.index.index import KIND, VERSION, IndexFiles
from bench.index.shards import Shard

VECTORS_PER_BLOCK = 65_536


def build_uncompressed(folder: Path, shards: Sequence[Shard], ids: Sequence[str], **manifest: Mapping[str, Any]) -> Manifest:
    """Write an index of the float16 vectors of the shards."""
    writer = FolderWriter(folder, KIND, VERSION)
    files = IndexFiles(folder)
    _merge(writer.path(files.vectors.name), [shard.vectors for shard in shards])
    dim = int(shards[0].vectors.shape[1])
    return _finish(writer, [shard.doclens for shard in shards], dim, ids, {}, **manifest)


def build_compressed(
    folder: Path,
    doclens: Sequence[np.ndarray],
    codes: Sequence[np.ndarray],
    residuals: Sequence[np.ndarray],
    codec: Codec,
    ids: Sequence[str],
    device: str = "cpu",
    **manifest: Mapping[str, Any],
) -> Manifest:
    """Write an index of codes, residuals and inverted list, from the doclens ``[passages]`` and the parts of each shard.

    device: where norms and lists are made. Lists have the same bytes everywhere, norms may be one of 256 levels apart. Raise
    DataError if a part does not fit its shard.
    """
    if not len(doclens) == len(codes) == len(residuals):
        raise DataError(f"{folder} has {len(doclens)} shards, {len(codes)} parts of codes and {len(residuals)} of residuals")
    for number, (lengths, code, residual) in enumerate(zip(doclens, codes, residuals, strict=True)):
        check_codes(code, len(codec.centroids), f"shard {number} of {folder}")
        if residual.shape[1:] != (codec.bytes,):
            raise DataError(f"residuals of shard {number} of {folder} have {residual.shape[1]} bytes, codec {codec.bytes}")
        if not int(lengths.sum()) == len(code) == len(residual):
            raise DataError(
                f"shard {number} of {folder} has {int(lengths.sum())} vectors, {len(code)} codes and "
                f"{len(residual)} residuals: they were not made from each other; delete and rebuild them"
            )
    writer = FolderWriter(folder, KIND, VERSION)
    files = IndexFiles(folder)
    codec.save(writer)
    _merge(writer.path(files.codes.name), codes)
    _merge(writer.path(files.residuals.name), residuals)
    _write_norms(writer, codec, list(zip(codes, residuals, strict=True)), device)
    parts = list(zip(codes, doclens, strict=True))
    if device == "cpu":
        inverted.write(parts, len(codec.centroids), writer.path(files.lists.name), writer.path(files.list_offsets.name))
    else:
        from bench.index import on_device

        lists, ends = on_device.lists(parts, len(codec.centroids), device)
        writer.array(files.lists.name, lists)
        writer.array(files.list_offsets.name, inverted.narrow(ends))
    return _finish(writer, doclens, codec.dim, ids, {"centroids": len(codec.centroids)}, **manifest)


def _finish(
    writer: FolderWriter,
    doclens: Sequence[np.ndarray],
    dim: int,
    ids: Sequence[str],
    counts: dict[str, int],
    *,
    settings: Mapping[str, Any],
    **manifest: Mapping[str, Any],
) -> Manifest:
    files = IndexFiles(writer.folder)
    passages, vectors = sum(map(len, doclens)), sum(int(lengths.sum()) for lengths in doclens)
    if passages != len(ids):
        raise DataError(f"the shards of {writer.folder} hold {passages} passages, the corpus {len(ids)}: one is missing")
    writer.array(files.doclens.name, np.concatenate(doclens))
    write_text(writer.path(files.ids.name), "".join(f"{name}\n" for name in ids))
    return writer.close(
        settings={**settings, "dim": dim},
        counts={**counts, "passages": passages, "vectors": vectors},
        **manifest,
    )


def _write_norms(writer: FolderWriter, codec: Codec, parts: Sequence[tuple[np.ndarray, np.ndarray]], device: str) -> None:
    """Write the norms of decoded vectors, one byte each: the nearest of 256 equal steps between the smallest and the
    largest.
    """
    files = IndexFiles(writer.folder)
    low, high = np.inf, 0.0
    for found in _norms(codec, parts, device):
        low, high = min(low, float(found.min())), max(high, float(found.max()))
    levels = np.linspace(low, high, 256, dtype=np.float32)
    writer.array(files.norm_levels.name, levels)
    with growing_array(writer.path(files.norms.name), (sum(len(codes) for codes, _ in parts),), np.uint8) as out:
        start = 0
        for found in _norms(codec, parts, device):
            out[start : start + len(found)] = nearest(found, levels)
            start += len(found)


def _norms(codec: Codec, parts: Sequence[tuple[np.ndarray, np.ndarray]], device: str) -> Iterator[np.ndarray]:
    for codes, residuals in parts:
        if device == "cpu":
            for start in range(0, len(codes), VECTORS_PER_BLOCK):
                some = slice(start, start + VECTORS_PER_BLOCK)
                yield codec.norms(np.asarray(codes[some]), np.asarray(residuals[some]))
        else:
            from bench.index import on_device

            yield from on_device.norms(codec, codes, residuals, device)
        release(codes)
        release(residuals)


def _merge(path: Path, parts: Sequence[np.ndarray]) -> None:
    """Concatenate arrays into one file without holding more than one of them."""
    rows = sum(len(part) for part in parts)
    with growing_array(path, (rows, *parts[0].shape[1:]), parts[0].dtype) as out:
        start = 0
        for part in parts:
            out[start : start + len(part)] = part
            start += len(part)
            release(part)
            release(out)
