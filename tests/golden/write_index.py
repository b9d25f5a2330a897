"""Index the golden passages by a model folder with each number of bits, and write our ranking by plaid; for ``make golden``.

python tests/golden/write_index.py MODEL OUT
"""

import json
import sys
from pathlib import Path

import numpy as np

import bench
from bench.config import presets
from bench.search.engines import open_engine

TEXTS = Path(__file__).parent / "texts.json"
VALUES = {"ncells": 4, "centroid_score_threshold": 0.4, "ndocs": 160}  # 40 passages are decoded

if __name__ == "__main__":
    folder, out = map(Path, sys.argv[1:])
    said, model = json.loads(TEXTS.read_text()), bench.load_model(folder)
    words = sorted({word for text in said["passages"] for word in text.split()})
    passages = [*said["passages"], *(" ".join(words[start : start + 6]) for start in range(0, len(words), 3))]
    queries = model.encode_queries(said["queries"])
    for nbits in (1, 2, 4, 8):
        index = bench.build_index(model, passages, codec=f"residual-{nbits}", folder=out / f"bits-{nbits}", threads=1)
        found = open_engine(presets.parse({"engine": "plaid", **VALUES}, "golden"), index.index).search(queries, 10)
        scores = open_engine(presets.parse({"engine": "exact"}, "golden"), index.index).search(queries, len(passages))
        every = np.zeros((len(queries), len(passages)), np.float32)
        for row, ranking in zip(every, scores, strict=True):
            row[ranking.passages] = ranking.scores
        rankings = np.full((len(queries), 10), -1)
        for row, ranking in zip(rankings, found, strict=True):
            row[: len(ranking)] = ranking.passages
        np.savez(out / f"bits-{nbits}.npz", rankings=rankings, scores=every)
    (out / "passages.json").write_text(json.dumps(passages))
