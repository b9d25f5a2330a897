"""Bucket ids to bytes and back: ``8 / nbits`` dimensions a byte, the first dimension in the high bits."""

import numpy as np


def pack(buckets: np.ndarray, nbits: int) -> np.ndarray:
    """Pack ``[vectors, dim]`` uint8 bucket ids below ``2**nbits`` into ``[vectors, dim * nbits / 8]`` bytes."""
    per_byte = 8 // nbits
    vectors, dim = buckets.shape
    grouped = buckets.reshape(vectors, dim // per_byte, per_byte)
    packed = np.zeros(grouped.shape[:2], np.uint8)
    for position in range(per_byte):
        packed |= grouped[:, :, position] << np.uint8(8 - nbits * (position + 1))
    return packed


def unpack(packed: np.ndarray, nbits: int) -> np.ndarray:
    """The inverse of ``pack``: ``[vectors, bytes]`` to ``[vectors, bytes * 8 / nbits]``."""
    shifts = np.arange(8 - nbits, -1, -nbits, dtype=np.uint8)
    buckets = (packed[:, :, None] >> shifts) & np.uint8(2**nbits - 1)
    return buckets.reshape(len(packed), packed.shape[1] * len(shifts))


def other_order(nbits: int) -> np.ndarray:
    """``[256]`` uint8: each byte with the bits of each of its buckets in reverse, as colbert-ai and fast-plaid store them.

    It is its own inverse.
    """
    buckets = unpack(np.arange(256, dtype=np.uint8)[:, None], nbits)
    turned = np.zeros_like(buckets)
    for bit in range(nbits):
        turned |= (buckets >> np.uint8(bit) & np.uint8(1)) << np.uint8(nbits - 1 - bit)
    return pack(turned, nbits)[:, 0]


def codebook(weights: np.ndarray, dim: int) -> np.ndarray:
    """What each byte stands for, ``[bytes, 256, dim / bytes]``: the product of the weights of its dimensions.

    weights ``[buckets]``, the same for all dimensions, or ``[dim, buckets]``.
    """
    nbits = (weights.shape[-1] - 1).bit_length()
    number_of_bytes = dim * nbits // 8
    buckets = unpack(np.arange(256, dtype=np.uint8)[:, None], nbits)
    own = np.broadcast_to(weights, (dim, weights.shape[-1])).reshape(number_of_bytes, 8 // nbits, -1)
    places = np.arange(8 // nbits)
    return np.ascontiguousarray(own[:, places, buckets])
