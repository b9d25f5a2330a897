"""What a passage length costs: how much of a collection, and of what is relevant in it, was cut off."""

import numpy as np


def account(tokens: np.ndarray, maxlen: int, relevant: np.ndarray) -> dict[str, int]:
    """Counts of what is cut at ``maxlen`` tokens.

    tokens: ``[passages]`` of each passage, uncut; relevant: positions of the passages that are relevant to some query.
    A token is a vector, punctuation aside, and for models with one vector per passage a part of it.
    """
    cut = tokens > maxlen
    return {
        "passages": len(tokens),
        "passages_cut": int(np.count_nonzero(cut)),
        "tokens": int(tokens.sum(dtype=np.int64)),
        "tokens_cut": int((tokens[cut] - maxlen).sum(dtype=np.int64)),
        "relevant": len(relevant),
        "relevant_cut": int(np.count_nonzero(cut[relevant])),
    }
