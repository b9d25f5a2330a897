"""Write an index as colbert-ai 0.2 stores it, for its own searcher. Its passages are numbers: positions in ``ids.txt``."""

from pathlib import Path
from typing import Any

import numpy as np

from bench.codec.names import parse
from bench.codec.packing import other_order
from bench.errors import SettingsError
from bench.files.storage import write_json, write_text
from bench.index import inverted
from bench.index.index import Index

CHUNK = 25_000  # passages; colbert-ai's own number where there are many
FAMILY = "residual"  # one scale of buckets for all dimensions, and no map: all that colbert-ai can decode


def write(index: Index, folder: Path, config: dict[str, Any]) -> int:
    """Write the files of colbert-ai to an existing folder, one chunk of passages at a time; return the number of chunks.

    config: settings of colbert-ai beside ``dim`` and ``nbits``. Raise SettingsError for a codec that it cannot decode.
    """
    import torch

    def save(name: str, value: Any) -> None:
        torch.save(value, folder / name)

    def tensor(values: np.ndarray, kind: type[np.generic]) -> torch.Tensor:
        return torch.from_numpy(np.array(values, kind))

    name = str(index.manifest.settings["codec"])
    codec, stored = parse(name, "the index"), index.compressed
    if codec is None or codec.family != FAMILY or stored is None:
        raise SettingsError(f"colbert-ai cannot read the codec {name}; build the index with residual-1, -2, -4 or -8")
    if index.dim % 8:
        raise SettingsError(f"colbert-ai cannot read vectors of dim {index.dim}, which is not a multiple of 8")
    starts = range(0, len(index), CHUNK)
    turned = other_order(codec.size)
    for number, first in enumerate(starts):
        last = min(first + CHUNK, len(index))
        begin, end = int(index.offsets[first]), int(index.offsets[last])
        save(f"{number}.codes.pt", tensor(stored.codes[begin:end], np.int32))
        save(f"{number}.residuals.pt", tensor(turned[stored.residuals[begin:end]], np.uint8))
        write_json(folder / f"doclens.{number}.json", index.doclens[first:last].tolist())
        counts = {"num_passages": last - first, "num_embeddings": end - begin}
        write_json(folder / f"{number}.metadata.json", {"passage_offset": first, "embedding_offset": begin, **counts})
    lists, ends = inverted.expanded(stored.lists, stored.list_offsets)
    save("ivf.pid.pt", (tensor(lists, np.int32), tensor(np.diff(ends), np.int64)))
    save("centroids.pt", tensor(stored.codec.centroids, np.float32))
    save("buckets.pt", tuple(tensor(part, np.float32) for part in (stored.codec.cutoffs, stored.codec.weights)))
    save("avg_residual.pt", torch.tensor(float(np.abs(stored.codec.weights).mean())))
    write_text(folder / "ids.txt", "".join(f"{passage}\n" for passage in index.ids))
    vectors = int(index.offsets[-1])
    counts = {"num_chunks": len(starts), "num_partitions": len(stored.codec.centroids)}
    said = {"config": {"dim": index.dim, "nbits": codec.size, **config}, **counts}
    estimated = {"num_embeddings_est": vectors, "avg_doclen_est": vectors / len(index)}
    write_json(folder / "plan.json", {**said, **estimated})
    write_json(folder / "metadata.json", {**said, "num_embeddings": vectors, "avg_doclen": vectors / len(index)})
    return len(starts)
