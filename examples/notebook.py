"""Index a few texts, search them, and judge the rankings: ``python examples/notebook.py MODEL``, a folder or a hub id.

Without a hub, ``make results CONFIG=config/ci.yaml`` leaves models such as ``build/models/denoised``.
"""

import sys

import bench

TEXTS = {
    "cats": "A cat sleeps for most of the day.",
    "dogs": "A dog wants to go out in the morning.",
    "books": "Old books are kept in a cold and dark room.",
    "boys": "The boy was back at the door before his animal was.",
}
QUESTIONS = {"q1": "when does the dog go out?", "q2": "where are books kept?"}
QRELS = {"q1": {"dogs": 1}, "q2": {"books": 1}}

model = bench.load_model(sys.argv[1])
print(model)
runs = {}
for codec in ("fp16", "residual-2"):
    index = bench.build_index(model, list(TEXTS.values()), list(TEXTS), codec=codec)
    print(index)
    results = index.search(QUESTIONS, k=3)
    print(results)
    runs[codec] = results.run

print(bench.evaluate(runs["residual-2"], QRELS, ["nDCG@3", "RR@3"]))
print(bench.compare(runs["residual-2"], runs["fp16"], QRELS, "RR@3", margin=0.1))
