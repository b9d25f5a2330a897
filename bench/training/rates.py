"""How fast a machine encodes, scores and trains, each beside the network alone in the same run; nothing is downloaded.

``python -m bench.training.rates --device cuda`` needs torch, transformers, numpy and what they need.
"""

import argparse
import copy
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import transformers

from bench.encoder.model import LateInteraction
from bench.encoder.on_device import TOKENS, at_precision
from bench.encoder.rates import (
    MAXLEN,
    Row,
    Sizes,
    alone,
    encoding,
    made_config,
    made_encoder,
    made_texts,
    made_tokenizer,
    medians,
    seconds,
    vocabulary,
)
from bench.training.batches import Tokenized
from bench.training.contrastive import Contrastive
from bench.training.cross_encoder import train_teacher
from bench.training.example_order import in_order
from bench.training.loop import Loop
from bench.training.pair_scores import score_pairs
from bench.training.pairs import tokenize_pairs
from bench.training.processes import Processes
from bench.training.triples import Triple


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
    loss: str = "softmax"

    def rate(self, step: int) -> float:
        return 1 - step / self.steps


def contrastive_training(encoder: LateInteraction, texts: Sequence[str], sizes: Sizes, device: str) -> Row:
    """Return the row of contrastive training with one hard negative a query, against a third of the forward rate."""
    run = Run(sizes.steps, sizes.batch, "bfloat16" if device == "cuda" else "float32")
    tokens = encoder.inputs.passages(texts[: 2 * run.steps * run.batch], run.doc_maxlen)
    network = at_precision(encoder.bert, run.precision)
    most = TOKENS if device == "cuda" else 2048
    (limit,) = medians(device, sizes.repeats, alone(network, tokens, encoder.inputs.pad, most, device))
    queries = [" ".join(text.split()[:10]) for text in texts[: run.batch]]
    count = min(len(texts), 2 * run.steps * run.batch)
    rng = np.random.default_rng(2)
    triples = [
        Triple(int(q), int(p), (int(n),))
        for _ in range(run.steps)
        for q, p, n in zip(
            range(run.batch), rng.integers(count, size=run.batch), rng.integers(count, size=run.batch), strict=True
        )
    ]
    read = Tokenized(encoder, queries, texts[:count], query_maxlen=run.query_maxlen, doc_maxlen=run.doc_maxlen)
    objective = Contrastive(triples, read, {row: row for row in range(count)}, range(len(queries)), run.temperature)
    trained = copy.deepcopy(encoder)
    loop = Loop(trained, objective, in_order(run.batch), run, Processes(device=device))  # type: ignore[arg-type]
    warm = max(run.steps // 4, 1)
    for step in range(warm):
        loop.step(step)
    held: list[torch.Tensor] = []
    taken = seconds(lambda: held.extend(loop.step(step) for step in range(run.steps)), device)
    ours = float(torch.stack(held)[:, -2].sum()) / taken
    bound = len(tokens.ids) / limit / 3
    note = f"{run.batch} queries with 2 passages of {run.doc_maxlen} tokens, {run.precision}; bound: forward alone / 3"
    return Row("contrastive training", ours, bound, ours / bound, "tokens/s", 0.4, note)


def cross_encoding(
    tokenizer: transformers.PreTrainedTokenizerBase, texts: Sequence[str], sizes: Sizes, device: str
) -> list[Row]:
    """Return the rows of scoring and of training a cross-encoder."""
    torch.manual_seed(0)
    model = transformers.BertForSequenceClassification(made_config(sizes, num_labels=1)).to(device).eval()
    precision, most = ("bfloat16", TOKENS) if device == "cuda" else ("float32", 2048)
    passages = [texts[number % len(texts)] for number in range(sizes.pairs)]
    queries = [" ".join(texts[(number // 64) % len(texts)].split()[:8]) for number in range(sizes.pairs)]
    tokens = tokenize_pairs(tokenizer, queries, passages, MAXLEN)
    network, pad = at_precision(model, precision), int(tokenizer.pad_token_id)

    def score() -> None:
        score_pairs(model, tokenizer, queries, passages, maxlen=MAXLEN, precision=precision, device=device)

    limit, ours = medians(device, sizes.repeats, alone(network, tokens.tokens, pad, most, device), score)
    count = len(tokens.tokens.ids)
    scoring = Row(
        "cross-encoder scoring",
        count / ours,
        count / limit,
        limit / ours,
        "tokens/s",
        0.6,
        f"{sizes.pairs} pairs, {precision}",
    )
    run = Run(sizes.steps, sizes.groups, precision)
    rows = [
        Triple(number, 8 * number, tuple(range(8 * number + 1, 8 * number + 8))) for number in range(run.steps * run.batch)
    ]
    asked = [queries[(8 * number) % len(queries)] for number in range(len(rows))]
    found = {number: passages[number % len(passages)] for number in range(8 * len(rows))}
    used = tokenize_pairs(tokenizer, [asked[n // 8] for n in found], list(found.values()), MAXLEN)
    few = Run(3, sizes.groups, precision)
    if run.steps > few.steps:
        train_teacher(model, tokenizer, rows, asked, found, few, device=device)  # type: ignore[arg-type]
    taken = seconds(
        lambda: train_teacher(model, tokenizer, rows, asked, found, run, device=device),  # type: ignore[arg-type]
        device,
    )
    rate, bound = len(used.tokens.ids) / taken, count / limit / 3
    note = f"{run.steps} steps of {run.batch} groups of 8 pairs, {precision}, tokenizing included; bound: forward alone / 3"
    return [scoring, Row("cross-encoder training", rate, bound, rate / bound, "tokens/s", 0.4, note)]


def measure(device: str, threads: int, sizes: Sizes | None = None) -> list[Row]:
    """Return the rows of encoding, scoring and training on a device, in bfloat16 on a GPU, else in float32."""
    sizes = sizes or Sizes()
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


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | rate | network alone | ratio | goal | unit | |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        goal = "" if row.goal is None else f"{row.goal:g}"
        lines.append(
            f"| {row.name} | {row.rate:,.0f} | {row.bound:,.0f} | {row.ratio:.3f} | {goal} | {row.unit} | {row.note} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table, and write the rows as JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), required=True)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--json", type=Path)
    for field in dataclasses.fields(Sizes):
        parser.add_argument(f"--{field.name}", type=int, default=field.default)
    given = vars(parser.parse_args())
    device, threads, path = (given.pop(name) for name in ("device", "threads", "json"))
    rows = measure(device, threads, Sizes(**given))
    print(table(rows))
    if path is not None:
        path.write_text(json.dumps([dataclasses.asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
