"""Hash every file of a folder, compare it with the manifest, and check that the files fit together."""

import importlib
from pathlib import Path

from bench.errors import DamagedFileError
from bench.files import stamps
from bench.files.opening import parse_manifest
from bench.files.storage import MANIFEST, read_json

READERS = {  # by kind; imported when it is called, since some need torch
    "corpus": "corpus.texts:open_passages",
    "queries": "corpus.texts:open_queries",
    "model": "encoder.checkpoint:load",
    "vectors": "index.shards:open_shard",
    "query-vectors": "search.queries:open_query_vectors",
    "centroids": "index.centroids:open_centroids",
    "codec": "index.codecs:open_codec",
    "codes": "index.parts:open_codes",
    "residuals": "index.parts:open_residuals",
    "index": "index.index:open_index",
    "mined": "training.mined:open_mined",
    "scores": "training.scores:open_scored",
    "tuples": "training.tuples:read_tuples",
}


def verify(folder: Path) -> None:
    """Hash every file of a folder, compare it with the manifest, and check that the files fit together.

    :param folder: Index, shard, corpus, model, or any other folder with a manifest.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise DamagedFileError(f"{folder} has no {MANIFEST}: it is not a finished folder; rebuild it")
    manifest = parse_manifest(read_json(path), path)
    if manifest.kind not in READERS:
        raise DamagedFileError(f"{path} is of kind {manifest.kind!r}, expected one of {', '.join(READERS)}")
    module, _, function = READERS[manifest.kind].partition(":")
    with stamps.ignored():
        getattr(importlib.import_module(f"bench.{module}"), function)(folder)
    size = sum(file["bytes"] for file in manifest.files.values())
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(manifest.counts.items()))
    print(f"{folder}: whole; {manifest.kind} of {len(manifest.files)} files, {size:,} bytes; {counts}")
