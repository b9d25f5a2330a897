"""Measure colbert-ai over given token vectors: its own indexer and scorer, with an encoder that returns the vectors."""

import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from measure import DEPTH, Corpus, Peer, RefusedError, Setting, main

SETTINGS = (
    {"ncells": 2, "centroid_score_threshold": 0.45, "ndocs": 1024},  # its defaults down to rank 100
    {"ncells": 4, "centroid_score_threshold": 0.4, "ndocs": 4096},  # its defaults below rank 100
)


class GivenVectors:
    """Stands in for the encoder: passages are their numbers."""

    def __init__(self, corpus: Corpus):
        import torch

        self.corpus = corpus
        self.vectors = torch.from_numpy(corpus.vectors).float()

    def encode_passages(self, passages: Sequence[int]) -> tuple[Any, list[int]]:
        """Vectors ``[vectors, dim]`` float32 of passages in ascending order, and their numbers by passage."""
        import torch

        chosen = np.zeros(len(self.corpus.doclens), dtype=bool)
        chosen[list(passages)] = True
        rows = torch.from_numpy(np.repeat(chosen, self.corpus.doclens))
        return self.vectors[rows], self.corpus.doclens[chosen].tolist()


def prepare(threads: int, seed: int = 0) -> None:
    import faiss
    import torch

    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)
    torch.manual_seed(seed)
    random.seed(seed)


def setup(threads: int) -> None:
    """Compile and load the extensions that a search on CPUs needs; a second time they are only loaded."""
    if shutil.which("g++") is None:
        raise RefusedError("needs g++ to compile its extensions; install a C++ compiler")
    prepare(threads)
    from colbert.modeling.colbert import ColBERT
    from colbert.search.index_storage import IndexScorer
    from colbert.search.strided_tensor import StridedTensor

    ColBERT.try_load_torch_extensions(False)
    IndexScorer.try_load_torch_extensions(False)
    StridedTensor.try_load_torch_extensions(False)


def build(corpus: Corpus, index: Path, nbits: int, threads: int, seed: int) -> tuple[float, dict[str, Any]]:
    prepare(threads, seed)
    import torch
    from colbert.indexing import collection_indexer
    from colbert.infra.config import ColBERTConfig

    config = ColBERTConfig(nbits=nbits, dim=corpus.vectors.shape[1], index_path=str(index))
    collection_indexer.Checkpoint = lambda *_args, **_options: None
    index.mkdir(parents=True)
    indexer = collection_indexer.CollectionIndexer(config, list(range(len(corpus.doclens))), verbose=0)
    indexer.encoder = GivenVectors(corpus)
    steps = {
        "sample": indexer.setup,
        "train": lambda: indexer.train(None),
        "index": indexer.index,
        "lists": indexer.finalize,
    }
    stages = {}
    with torch.inference_mode():
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            stages[name] = time.perf_counter() - start
    counts = {"centroids": indexer.num_partitions, "iterations": config.kmeans_niters}
    return sum(stages.values()), {**counts, "stages": stages}


def decode(index: Path, corpus: Corpus, positions: np.ndarray, threads: int) -> np.ndarray:
    prepare(threads)
    import torch
    from colbert.indexing.codecs.residual import ResidualCodec

    codec = ResidualCodec.load(str(index))
    chunks = range(len(list(index.glob("*.codes.pt"))))
    embeddings = ResidualCodec.Embeddings.load_chunks(str(index), chunks, len(corpus.vectors))
    rows = torch.from_numpy(positions)
    chosen = ResidualCodec.Embeddings(embeddings.codes[rows], embeddings.residuals[rows])
    return codec.decompress(chosen).numpy()


class ColbertAi:
    """Its scorer over an index; it has no call for several queries at once."""

    def __init__(self, index: Path, setting: Setting, threads: int):
        setup(threads)
        from colbert.infra.config import ColBERTConfig
        from colbert.search.index_storage import IndexScorer

        self.config = ColBERTConfig.load_from_index(str(index))
        self.config.configure(**setting)
        self.scorer = IndexScorer(str(index), use_gpu=False)

    def single(self, query: np.ndarray) -> Sequence[int]:
        import torch

        passages, _ = self.scorer.rank(self.config, torch.from_numpy(query).unsqueeze(0))
        return passages[:DEPTH]

    def batch(self, queries: Sequence[np.ndarray]) -> Sequence[Sequence[int]]:
        return [self.single(query) for query in queries]


if __name__ == "__main__":
    main(
        Peer(
            name="colbert-ai",
            packages=("colbert-ai", "torch", "faiss-cpu", "transformers", "numpy"),
            settings=SETTINGS,
            batch="a loop",
            setup=setup,
            build=build,
            decode=decode,
            open=ColbertAi,
        )
    )
