"""Quantize the residuals of a shard to bytes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.errors import DataError
from bench.files.storage import growing_array, read_array
from bench.index.codecs import open_codec
from bench.index.shards import open_shard
from bench.verbs.common import KernelDevice, take_device

VECTORS_PER_BLOCK = 65_536


def compress(*, vectors: Path, codes: Path, codec: Path, device: KernelDevice = "cpu", output: Path) -> None:
    """Quantize the residuals of a shard to bytes.

    :param vectors: Shard folder.
    :param codes: .npy of the codes of the shard.
    :param codec: Codec folder.
    :param output: .npy of residual bytes to write.
    """
    take_device(device)
    shard, nearest = open_shard(vectors).vectors, read_array(codes)
    if len(shard) != len(nearest):
        raise DataError(f"{codes} has {len(nearest)} codes for the {len(shard)} vectors of {vectors}: rebuild it")
    fitted, _ = open_codec(codec)
    encode: Callable[[np.ndarray, np.ndarray], np.ndarray] = fitted.encode
    if device == "cuda":
        from bench.codec.cuda_encoder import Encoder

        if Encoder.takes(fitted):
            encode = Encoder(fitted).encode
    with growing_array(output, (len(shard), fitted.bytes), np.uint8) as out:
        for start in range(0, len(shard), VECTORS_PER_BLOCK):
            some = slice(start, start + VECTORS_PER_BLOCK)
            out[some] = encode(shard[some], nearest[some])
    print(f"{len(shard)} residuals of {fitted.bytes} bytes")
