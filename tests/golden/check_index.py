"""Search an exported index with colbert-ai's own searcher, and compare with our ranking by plaid; run by ``make golden``.

    python tests/golden/check_index.py INDEX CHECKPOINT OURS.npz PASSAGES.json

Runs in the environment of colbert-ai and needs nothing of this harness.
"""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
from colbert import Searcher
from colbert.infra import ColBERTConfig

TEXTS = json.loads((Path(__file__).parent / "texts.json").read_text())
VALUES = {"ncells": 4, "centroid_score_threshold": 0.4, "ndocs": 160}  # 40 passages are decoded
EQUAL = 1e-3  # a difference of scores that is rounding: queries are encoded by two programs
LEAST = 0.97  # of all places, those with the same passage or one of an equal score


def main(index, checkpoint, ours, passages):
    torch.set_num_threads(1)
    config = ColBERTConfig(**VALUES)
    root, name = str(Path(index).resolve().parent), Path(index).name
    collection = json.loads(Path(passages).read_text())
    searcher = Searcher(name, checkpoint, collection, config=config, index_root=root, verbose=0)
    golden = np.load(ours)
    same = tied = other = 0
    worst = 0.0
    for row, scores, query in zip(golden["rankings"], golden["scores"], TEXTS["queries"], strict=True):
        found, _, values = searcher.search(query, k=10)
        worst = max([worst, *(abs(scores[pid] - value) for pid, value in zip(found, values, strict=True))])
        for mine, theirs in zip(row[row >= 0], found, strict=True):
            same += mine == theirs
            tied += mine != theirs and abs(scores[mine] - scores[theirs]) < EQUAL
            other += mine != theirs and abs(scores[mine] - scores[theirs]) >= EQUAL
    print(f"{index}: {same} places alike, {tied} tied, {other} others; scores differ by {worst:.2g} at most")
    return bool(worst > EQUAL or other > (1 - LEAST) * (same + tied + other))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
