"""A fitted codec on disk, before it becomes part of an index."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.codec import codec as codecs
from bench.codec.codec import Codec
from bench.files.opening import open_folder
from bench.files.storage import FolderWriter, Manifest

KIND = "codec"
VERSION = 4


def write_codec(folder: Path, codec: Codec, **manifest: Mapping[str, Any]) -> Manifest:
    writer = FolderWriter(folder, KIND, VERSION)
    codec.save(writer)
    return writer.close(**manifest)


def open_codec(folder: Path) -> tuple[Codec, Manifest]:
    manifest = open_folder(folder, KIND, VERSION, "fit", codecs.FILES)
    return codecs.load(folder), manifest
