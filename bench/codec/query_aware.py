"""Product quantization of what queries look at.

A search needs inner products with query vectors and not the vectors themselves. The expected squared error of an inner
product is ``e' S e`` for an error e and the second moment S of query vectors: errors are cheap where queries hardly vary.
Residuals are multiplied by a power of S before they are quantized, and queries by its inverse, which leaves inner products
as they are. (arXiv 1908.10396 weights errors for inner products too, by the direction of the vector.) The power 1/2 would
minimise the error of single products; ``POWER`` ranks better (docs/journal-codecs.md). Decoded vectors are
not normalised, since the map does not keep lengths. The gain is large where queries are padded with [MASK], whose vectors
point in few directions.
"""

import numpy as np

POWER = 0.25
LEAST = 1e-3  # of the largest eigenvalue: a direction that no query has keeps a small weight


def weighting(queries: np.ndarray) -> np.ndarray:
    """The symmetric ``[dim, dim]`` float64 that vectors are multiplied by, from query vectors ``[vectors, dim]``."""
    wide = queries.astype(np.float64)
    values, directions = np.linalg.eigh(wide.T @ wide / len(wide))
    values = np.maximum(values, LEAST * values[-1])
    return (directions * (values / values.mean()) ** POWER) @ directions.T
