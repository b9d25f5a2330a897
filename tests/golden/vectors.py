"""Vectors that PyLate gives for texts; needs nothing but numpy beside the model."""

import numpy as np


def vectors(model, texts):
    """Return ``q{i}`` and ``p{i}`` ``[vectors, dim]`` float32, the vectors of query and passage ``i`` encoded alone."""
    found = {}
    for letter, name in (("q", "queries"), ("p", "passages")):
        for number, text in enumerate(texts[name]):
            (vector,) = model.encode([text], is_query=letter == "q", show_progress_bar=False)
            found[f"{letter}{number}"] = np.asarray(vector, np.float32)
    return found
