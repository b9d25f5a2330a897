"""Quantize the residuals of a shard to bytes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.files.provenance import context
from bench.files.storage import FolderWriter, growing_array
from bench.index.codecs import open_codec
from bench.index.parts import RESIDUALS, VERSION, open_codes
from bench.index.shards import open_shard
from bench.verbs.common import KernelDevice, limit_threads, take_device

VECTORS_PER_BLOCK = 65_536


def compress(*, vectors: Path, codes: Path, codec: Path, device: KernelDevice = "cpu", output: Path) -> None:
    """Quantize the residuals of a shard to bytes.

    :param vectors: Shard folder.
    :param codes: Folder of the codes of the shard.
    :param codec: Codec folder.
    :param output: Folder of residual bytes to write.
    """
    take_device(device)
    limit_threads(1)
    opened, coded, (fitted, made) = open_shard(vectors), open_codes(codes), open_codec(codec)
    coded.check_made_from(codes, vectors=opened.manifest.digest, centroids=made.inputs["centroids"])
    shard, nearest = opened.vectors, coded.array
    encode: Callable[[np.ndarray, np.ndarray], np.ndarray] = fitted.encode
    if device == "cuda":
        from bench.codec.cuda_encoder import Encoder

        if Encoder.takes(fitted):
            encode = Encoder(fitted).encode
    writer = FolderWriter(output, RESIDUALS, VERSION)
    with growing_array(writer.path(f"{RESIDUALS}.npy"), (len(shard), fitted.bytes), np.uint8) as out:
        for start in range(0, len(shard), VECTORS_PER_BLOCK):
            some = slice(start, start + VECTORS_PER_BLOCK)
            out[some] = encode(shard[some], nearest[some])
    inputs = {"vectors": opened.manifest.digest, "codes": coded.manifest.digest, "codec": made.digest}
    writer.close(counts={"vectors": len(shard)}, inputs=inputs, context=context(__name__))
    print(f"{len(shard)} residuals of {fitted.bytes} bytes")
