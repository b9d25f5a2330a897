"""Compare what PyLate or colbert-ai gives for an exported model with our vectors; run by ``make golden``.

    python tests/golden/check_export.py pylate|official FOLDER VECTORS.npz

Runs in the environment of the other program and needs nothing of this harness.
"""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch

TEXTS = json.loads((Path(__file__).parent / "texts.json").read_text())
ATOL = 1e-5


def of_pylate(folder):
    from pylate import models
    from vectors import vectors

    return vectors(models.ColBERT(folder, device="cpu"), TEXTS)


def of_colbert_ai(folder):
    from colbert.infra import ColBERTConfig
    from colbert.modeling.checkpoint import Checkpoint

    model = Checkpoint(folder, colbert_config=ColBERTConfig.load_from_checkpoint(folder), verbose=0)
    found = {f"q{i}": model.queryFromText([text])[0].numpy() for i, text in enumerate(TEXTS["queries"])}
    for i, text in enumerate(TEXTS["passages"]):
        vector = model.doc(*model.doc_tokenizer.tensorize([text]), keep_dims=True)[0].numpy()
        found[f"p{i}"] = vector[vector.any(axis=1)]
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    layout, folder, ours = sys.argv[1:]
    theirs, ours = {"pylate": of_pylate, "official": of_colbert_ai}[layout](folder), np.load(ours)
    shapes = [name for name in theirs if theirs[name].shape != ours[name].shape]
    if shapes or set(theirs) != set(ours.files):
        sys.exit(f"{folder}: other shapes of {shapes or set(theirs) ^ set(ours.files)}")
    worst = max(float(np.abs(theirs[name] - ours[name]).max()) for name in theirs)
    print(f"{folder}: {len(theirs)} texts, largest difference {worst:.2g}")
    sys.exit(worst > ATOL)
