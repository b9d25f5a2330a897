"""One process of several (see test_ranks): gradients of a batch, saved by the first one."""

import json
import sys
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

from bench.config.training import DistillSettings
from bench.corpus.texts import open_passages, open_queries
from bench.encoder import checkpoint
from bench.training.distillation import prepare
from bench.training.example_order import shuffled
from bench.training.loop import Loop
from bench.training.processes import open_processes
from bench.training.tuples import read_tuples


def main(folder: Path, output: Path, batches: list[list[int]]) -> None:
    torch.set_num_threads(1)
    processes = open_processes("cpu")
    encoder, _ = checkpoint.load(folder / "model")
    settings = DistillSettings(
        steps=1,
        batch=5,
        learning_rate=1e-3,
        warmup=0,
        precision="float32",
        temperature=1.0,
        teacher_temperature=1.0,
        in_batch_weight=0.0,
        query_maxlen=12,
        doc_maxlen=16,
        seed=0,
    )
    corpus, queries = open_passages(folder / "corpus"), open_queries(folder / "queries")
    texts = {text.id: text.text for text in queries.texts}
    objective = prepare(encoder, read_tuples(folder / "tuples"), texts, corpus.slice(0, len(corpus)), settings)
    loop = Loop(encoder, objective, shuffled(10, 5, 0), settings, processes)
    facts = []
    for number, batch in enumerate(batches):
        sums = loop.gradients(np.array(batch))
        gathered = processes.gathered([processes.rank, processes.count, torch.get_num_threads()])
        facts.append({"loss": sums.loss, "accuracy": sums.accuracy, "tokens": sums.tokens, "processes": gathered})
        if processes.first:
            gradients = {name: parameter.grad for name, parameter in loop.named.items()}
            safetensors.torch.save_file(gradients, output / f"{number}.safetensors")
    if processes.first:
        (output / "facts.json").write_text(json.dumps(facts))
    processes.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
