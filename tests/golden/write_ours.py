"""Write our vectors of a checkpoint for the golden texts; run by ``make golden``.

python tests/golden/write_ours.py FOLDER VECTORS.npz
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from bench.encoder import loading
from bench.encoder.encode import encode_queries
from bench.encoder.tokens import Tokens

TEXTS = Path(__file__).parent / "texts.json"


def ours(folder, texts):
    """Return ``q{i}`` and ``p{i}`` ``[vectors, dim]`` float32 of the texts, each encoded alone, before float16."""
    encoder, lengths = loading.load(folder)
    inputs, found = encoder.inputs, {}
    for number, text in enumerate(texts["queries"]):
        (vectors,) = encode_queries(encoder, [text], maxlen=lengths["query_maxlen"])
        found[f"q{number}"] = vectors[vectors.any(axis=1)]
    for number, row in enumerate(inputs.passages(texts["passages"], lengths["doc_maxlen"])):
        with torch.inference_mode():
            vectors = encoder(*map(torch.from_numpy, Tokens.of([row]).padded(np.array([0]), inputs.pad)))[0].numpy()
        found[f"p{number}"] = vectors[inputs.kept(np.array(row))]
    return found


if __name__ == "__main__":
    np.savez(sys.argv[2], **ours(Path(sys.argv[1]), json.loads(TEXTS.read_text())))
