"""Measure the encoding rate against plain AutoModel on the same sorted batches, alternating, and print the ratio."""

import statistics
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path

import torch

from bench.corpus.texts import open_passages
from bench.encoder import checkpoint
from bench.encoder.encode import TOKENS_PER_BATCH, autocast, encode_passages, length_batches, padded
from bench.encoder.model import Encoder
from bench.files.provenance import host_record
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, required=True, help="model folder")
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder")
    parser.add_argument("--passages", type=int, default=1000, help="passages to encode, from the first")
    parser.add_argument("--doc-maxlen", type=int, default=180, help="tokens of a passage, markers included")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each side")
    common.add_compute(parser)


def run(args: Namespace) -> None:
    common.prepare_torch(args.threads, device=args.device)
    encoder, _ = checkpoint.load(args.model)
    encoder.to(args.device)
    corpus = open_passages(args.corpus)
    texts = [text.text for text in corpus.slice(0, min(args.passages, len(corpus)))]
    tokens = sum(map(len, encoder.inputs.passages(texts, args.doc_maxlen)))
    compute = {"precision": args.precision, "device": args.device}
    rates: dict[str, list[float]] = {"bench encode": [], "AutoModel": []}
    for _ in range(args.repeats):
        start = time.perf_counter()
        encode_passages(encoder, texts, maxlen=args.doc_maxlen, **compute)
        rates["bench encode"].append(tokens / (time.perf_counter() - start))
        start = time.perf_counter()
        _plain(encoder, texts, args)
        rates["AutoModel"].append(tokens / (time.perf_counter() - start))
    ours, plain = (statistics.median(values) for values in rates.values())
    print(f"{len(texts)} passages, {tokens} tokens, {args.precision}, {args.threads} threads, {host_record()}")
    print(f"bench encode {ours:,.0f} tokens/s, AutoModel {plain:,.0f} tokens/s: ratio {ours / plain:.3f}")


def _plain(encoder: Encoder, texts: list[str], args: Namespace) -> None:
    """The network alone: the same ids in the same batches, tokenized as well, its output thrown away."""
    ids = encoder.inputs.passages(texts, args.doc_maxlen)
    with torch.inference_mode(), autocast(args.precision, args.device):
        for batch in length_batches([len(row) for row in ids], TOKENS_PER_BATCH):
            tokens, attention = padded([ids[position] for position in batch], encoder.inputs.pad, args.device)
            encoder.bert(input_ids=tokens, attention_mask=attention)
