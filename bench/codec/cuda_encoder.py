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
        if not self.takes(codec):
            raise SettingsError("a codec with a map, a gain, or cutoffs of each dimension is encoded on the cpu alone")
        self.bytes = codec.bytes
        self.nbits = 8 * codec.bytes // codec.dim
        self.centroids, self.cutoffs = moved(codec.centroids, self.device), moved(codec.cutoffs, self.device)

    @staticmethod
    def takes(codec: Codec) -> bool:
        """Return whether a codec has the form of the paper's: buckets that all dimensions share, and nothing else."""
        buckets = 2 ** (8 * codec.bytes // codec.dim)
        plain = not (len(codec.map) or codec.factors)
        return plain and codec.cutoffs.shape == (buckets - 1,)

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
