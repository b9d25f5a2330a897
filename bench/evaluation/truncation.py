"""The effect of a maximum length: how much of a collection, and of its relevant passages, is truncated."""

import numpy as np


def account(doclens: np.ndarray, uncut: np.ndarray, maxlen: int, relevant: np.ndarray) -> dict[str, int]:
    """Counts of what is cut at ``maxlen`` tokens.

    doclens: ``[passages]``, the vectors of each passage; uncut: ``[passages, 2]``, tokens and vectors that it would have,
    were it not cut; relevant: positions of the passages that are relevant to some query. A passage with more tokens than
    ``maxlen`` is cut, and may lose no vector where these are punctuation, or where it has one vector in all.
    """
    cut = uncut[:, 0] > maxlen
    vectors = int(uncut[:, 1].sum(dtype=np.int64))
    return {
        "passages": len(cut),
        "passages_cut": int(np.count_nonzero(cut)),
        "vectors": vectors,
        "vectors_cut": vectors - int(doclens.sum(dtype=np.int64)),
        "relevant": len(relevant),
        "relevant_cut": int(np.count_nonzero(cut[relevant])),
    }
