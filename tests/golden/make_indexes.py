"""Make small indexes with colbert-ai or fast-plaid, and what they give for them; run by ``make golden``.

    python tests/golden/make_indexes.py colbert-ai|fast-plaid tests/golden/indexes

Runs in the environment of the peer, by the script of workflow/peers that measures it. Beside each folder ``KIND-NBITS``
stands ``KIND-NBITS.npz``: ``decoded [vectors, dim]`` as the peer decodes it, ``queries [queries, 8, dim]``, and ``rankings
[queries, 10]``, its numbers of passages, by the settings below.
"""

import importlib.util
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

PEERS = Path(__file__).parents[2] / "workflow" / "peers"
DIM, PASSAGES, QUERIES, DEPTH = 64, 40, 12, 10
NBITS = {"colbert-ai": (1, 2, 4, 8), "fast-plaid": (2, 4)}
SETTINGS = {
    "colbert-ai": {"ncells": 4, "centroid_score_threshold": 0.3, "ndocs": 96},
    "fast-plaid": {"n_ivf_probe": 32, "n_full_scores": 4000},
}


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def data():
    """Vectors of passages in clusters, and queries near some of them."""
    rng = np.random.default_rng(7)
    doclens = rng.integers(3, 12, PASSAGES)
    topics = unit(rng.standard_normal((24, DIM)))
    vectors = unit(topics[rng.integers(0, 24, doclens.sum())] + 0.1 * rng.standard_normal((doclens.sum(), DIM)))
    near = vectors[rng.integers(0, len(vectors), (QUERIES, 8))]
    return vectors.astype(np.float16), doclens, unit(near + 0.1 * rng.standard_normal(near.shape)).astype(np.float32)


def anywhere(path):
    """Take the paths of this machine out of what colbert-ai says of its settings."""
    said = json.loads(path.read_text())
    if "config" in said:
        said["config"] |= dict.fromkeys(("root", "index_root", "index_path"))
    path.write_text(json.dumps(said, indent=1) + "\n")


def main(kind, folder):
    sys.path.insert(0, str(PEERS))
    spec = importlib.util.spec_from_file_location("peer", PEERS / f"{kind}.py")
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    vectors, doclens, queries = data()
    corpus = peer.Corpus(vectors, doclens)
    for nbits in NBITS[kind]:
        index = folder / f"{kind}-{nbits}"
        shutil.rmtree(index, ignore_errors=True)
        peer.build(corpus, index, nbits, 1, 0)
        with tempfile.TemporaryDirectory() as scratch:
            before = shutil.copytree(index, Path(scratch) / "before")
            engine = (peer.ColbertAi if kind == "colbert-ai" else peer.open_index)(index, SETTINGS[kind], 1)
            rankings = np.array([list(engine.single(query))[:DEPTH] for query in queries])
            decoded = peer.decode(index, corpus, np.arange(len(vectors)), 1)
            np.savez(index.with_suffix(".npz"), decoded=decoded, queries=queries, rankings=rankings)
            if nbits == 4:  # as it was before its first search, which merges the chunks of fast-plaid
                shutil.rmtree(index)
                shutil.copytree(before, index)
        for name in ("metadata.json", "plan.json"):
            anywhere(index / name)
        print(f"{index}: {len(vectors)} vectors, {len(rankings)} rankings")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
