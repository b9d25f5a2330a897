"""Measure the encoding rate against plain AutoModel on the same sorted batches, alternating, and print the ratio."""

import statistics
import time
from pathlib import Path
from typing import Annotated, Any

import torch

from bench.config.compute import Compute
from bench.config.settings import Count
from bench.corpus.texts import open_passages
from bench.encoder import checkpoint
from bench.encoder.batching import autocast, length_batches
from bench.encoder.encode import TOKENS_PER_BATCH, encode_passages
from bench.encoder.model import Encoder
from bench.encoder.on_device import TOKENS, at_precision
from bench.files.provenance import host_record
from bench.verbs.common import Flat, prepare_torch


def throughput(
    *,
    model: Path,
    corpus: Path,
    passages: Count = 1000,
    doc_maxlen: Count = 180,
    repeats: Count = 5,
    compute: Annotated[Compute, Flat],
) -> None:
    """Measure the encoding rate against plain AutoModel on the same sorted batches, alternating, and print the ratio.

    :param model: Model folder.
    :param corpus: Corpus folder.
    :param passages: Passages to encode, from the first.
    :param doc_maxlen: Tokens of a passage, markers included.
    :param repeats: Measurements of each side.
    """
    prepare_torch(compute.threads, device=compute.device)
    encoder, _ = checkpoint.load(model)
    encoder.to(compute.device)
    read = open_passages(corpus)
    texts = [text.text for text in read.slice(0, min(passages, len(read)))]
    tokens = len(encoder.inputs.passages(texts, doc_maxlen).ids)
    how: dict[str, Any] = {"precision": compute.precision, "device": compute.device}
    rates: dict[str, list[float]] = {"bench encode": [], "AutoModel": []}
    for _ in range(repeats):
        start = time.perf_counter()
        encode_passages(encoder, texts, maxlen=doc_maxlen, **how)
        rates["bench encode"].append(tokens / (time.perf_counter() - start))
        start = time.perf_counter()
        _plain(encoder, texts, doc_maxlen, compute)
        rates["AutoModel"].append(tokens / (time.perf_counter() - start))
    ours, plain = (statistics.median(values) for values in rates.values())
    print(f"{len(texts)} passages, {tokens} tokens, {compute.precision}, {compute.threads} threads, {host_record()}")
    print(f"bench encode {ours:,.0f} tokens/s, AutoModel {plain:,.0f} tokens/s: ratio {ours / plain:.3f}")


def _plain(encoder: Encoder, texts: list[str], doc_maxlen: int, compute: Compute) -> None:
    """The network alone: the same ids in sorted batches, tokenized as well, its output thrown away.

    On a GPU in large batches, with its weights in the precision that is asked for.
    """
    found = encoder.inputs.passages(texts, doc_maxlen)
    gpu = torch.device(compute.device).type == "cuda"
    network = at_precision(encoder.bert, compute.precision) if gpu else encoder.bert
    precision = "float32" if gpu else compute.precision
    with torch.inference_mode(), autocast(precision, compute.device):
        for batch in length_batches(found.lengths, TOKENS if gpu else TOKENS_PER_BATCH):
            ids, attention = (torch.from_numpy(part).to(compute.device) for part in found.padded(batch, encoder.inputs.pad))
            network(input_ids=ids, attention_mask=attention)
    if gpu:
        torch.cuda.synchronize()
