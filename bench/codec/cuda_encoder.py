"""Packing on CUDA. See ``bench.codec.device`` for where that is refused."""

import numpy as np
import torch

from bench.codec.codec import Codec
from bench.codec.device import moved, open_device
from bench.errors import SettingsError

AT_ONCE = 1 << 20


class Encoder:
    """Encodes as the paper's ``codec`` does, to the bit; its centroids live on the device."""

    def __init__(self, codec: Codec, *, device: str = "cuda"):
        self.device = open_device(device)
        from bench.codec import triton_loops

        self.loops = triton_loops
        self.bytes = codec.bytes
        self.nbits = 8 * codec.bytes // codec.dim
        if len(codec.cutoffs) != 2**self.nbits - 1:
            raise SettingsError(
                f"a codec of {self.nbits} bits has {2**self.nbits - 1} cutoffs, this one {len(codec.cutoffs)}"
            )
        self.centroids, self.cutoffs = moved(codec.centroids, self.device), moved(codec.cutoffs, self.device)

    def encode(self, vectors: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Residual bytes ``[vectors, bytes]`` uint8 of vectors ``[vectors, dim]`` with their codes ``[vectors]``."""
        packed = np.empty((len(vectors), self.bytes), np.uint8)
        for start in range(0, len(vectors), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            left = moved(vectors[some], self.device)
            out = torch.empty((len(left), self.bytes), dtype=torch.uint8, device=self.device)
            rows = 16
            self.loops.quantize[(-(-len(left) // rows),)](
                left,
                self.centroids,
                moved(codes[some], self.device),
                self.cutoffs,
                out,
                len(left),
                BYTES=self.bytes,
                PADDED=1 << (self.bytes - 1).bit_length(),
                NBITS=self.nbits,
                VECTORS=rows,
                enable_fp_fusion=False,
            )
            packed[some] = out.cpu().numpy()
        return packed
