"""How fast a machine scores pairs and trains beside the network alone in the same run, for ``bench gpu-check``."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import transformers

from bench.encoder.model import LateInteraction
from bench.encoder.on_device import at_precision
from bench.encoder.rates import (
    MAXLEN,
    Sizes,
    alone,
    encoding,
    made_config,
    made_encoder,
    made_texts,
    made_tokenizer,
    usual,
    vocabulary,
)
from bench.machine.rates import Row, medians, seconds
from bench.training.batches import Tokenized
from bench.training.contrastive import Contrastive
from bench.training.cross_encoder import train_teacher
from bench.training.example_order import in_order
from bench.training.loop import Loop
from bench.training.pair_scores import score_pairs
from bench.training.pairs import tokenize_pairs
from bench.training.processes import Processes
from bench.training.triples import Triple

GROUP = 8  # pairs of a query in the training of a cross-encoder
THIRD = "a third of the network alone, forward"


@dataclass(frozen=True)
class TrainSizes(Sizes):
    """Steps and batch: of training; groups: of a step of a cross-encoder; pairs: that it scores."""

    steps: int = 40
    batch: int = 64
    groups: int = 32
    pairs: int = 16_384


@dataclass(frozen=True)
class Run:
    """The settings of a training, as ``bench.config.training`` has them."""

    steps: int
    batch: int
    precision: str
    query_maxlen: int = 32
    doc_maxlen: int = 96
    max_length: int = MAXLEN
    learning_rate: float = 1e-5
    temperature: float = 1.0
    micro_batch: None = None
    pool: int = 1
    loss: str = "softmax"

    def rate(self, step: int) -> float:
        return 1 - step / self.steps


def contrastive_training(encoder: LateInteraction, texts: Sequence[str], sizes: TrainSizes, device: str) -> Row:
    """Return the row of contrastive training with one hard negative a query; tokens are those of queries and passages."""
    precision, most = usual(device)
    run = Run(sizes.steps, sizes.batch, precision)
    texts = texts[: 2 * run.steps * run.batch]
    tokens = encoder.inputs.passages(texts, run.doc_maxlen)
    network = at_precision(encoder.bert, precision)
    (limit,) = medians(device, sizes.repeats, alone(network, tokens, encoder.inputs.pad, most, device))
    queries = [" ".join(text.split()[:10]) for text in texts[: run.batch]]
    drawn = np.random.default_rng(2).integers(len(texts), size=(run.steps * run.batch, 2)).tolist()
    triples = [Triple(number % len(queries), positive, (other,)) for number, (positive, other) in enumerate(drawn)]
    read = Tokenized(encoder, queries, texts, query_maxlen=run.query_maxlen, doc_maxlen=run.doc_maxlen)
    rows = {row: row for row in range(len(texts))}
    objective = Contrastive(triples, read, rows, range(len(queries)), run)  # type: ignore[arg-type]
    loop = Loop(copy.deepcopy(encoder), objective, in_order(run.batch), run, Processes(device=device))  # type: ignore[arg-type]
    for step in range(max(run.steps // 4, 1)):
        loop.step(step)
    held: list[torch.Tensor] = []
    taken = seconds(device, lambda: held.extend(loop.step(step) for step in range(run.steps)))
    rate = float(torch.stack(held)[:, -2].sum()) / taken
    what = f"contrastive training, {run.batch} queries with 2 passages of {run.doc_maxlen} tokens, {precision}"
    return Row(what, rate, "tokens/s", THIRD, len(tokens.ids) / limit / 3)


def cross_encoding(
    tokenizer: transformers.PreTrainedTokenizerBase, texts: Sequence[str], sizes: TrainSizes, device: str
) -> list[Row]:
    """Return the rows of scoring and of training a cross-encoder, tokenizing included."""
    torch.manual_seed(0)
    model = transformers.BertForSequenceClassification(made_config(sizes, num_labels=1)).to(device).eval()
    precision, most = usual(device)
    passages = [texts[number % len(texts)] for number in range(sizes.pairs)]
    queries = [" ".join(texts[(number // 64) % len(texts)].split()[:8]) for number in range(sizes.pairs)]
    tokens = tokenize_pairs(tokenizer, queries, passages, MAXLEN).tokens
    forward = alone(at_precision(model, precision), tokens, int(tokenizer.pad_token_id), most, device)

    def score() -> None:
        score_pairs(model, tokenizer, queries, passages, maxlen=MAXLEN, precision=precision, device=device)

    limit, scored = medians(device, sizes.repeats, forward, score)
    triples = [
        Triple(number, GROUP * number, tuple(range(GROUP * number + 1, GROUP * (number + 1))))
        for number in range(sizes.steps * sizes.groups)
    ]
    asked = [queries[GROUP * number % len(queries)] for number in range(len(triples))]
    found = {number: passages[number % len(passages)] for number in range(GROUP * len(triples))}

    def train(steps: int) -> None:
        run = Run(steps, sizes.groups, precision)
        train_teacher(model, tokenizer, triples, asked, found, run, device=device)  # type: ignore[arg-type]

    train(1)
    trained = seconds(device, train, sizes.steps)
    used = tokenize_pairs(tokenizer, [asked[number // GROUP] for number in found], list(found.values()), MAXLEN).tokens
    count, what = len(tokens.ids), f"{sizes.steps} steps of {sizes.groups} groups of {GROUP} pairs, {precision}"
    return [
        Row(f"cross-encoder scores {sizes.pairs:,} pairs, {precision}", count / scored, "tokens/s", "the network alone",
            count / limit),
        Row(f"cross-encoder training, {what}", len(used.ids) / trained, "tokens/s", THIRD, count / limit / 3),
    ]  # fmt: skip


def measure(device: str, threads: int, sizes: TrainSizes = TrainSizes()) -> list[Row]:
    """Return the rows of encoding, scoring and training on a device, in bfloat16 on a GPU, else in float32."""
    torch.set_num_threads(threads)
    entries = vocabulary(sizes.words)
    tokenizer = made_tokenizer(entries)
    encoder = made_encoder(sizes, tokenizer, device)
    texts = made_texts(entries, sizes.texts)
    return [
        *encoding(encoder, texts, sizes, device),
        contrastive_training(encoder, texts, sizes, device),
        *cross_encoding(tokenizer, texts, sizes, device),
    ]
