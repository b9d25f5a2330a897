"""How fast a machine encodes, scores and trains, each beside the network alone in the same run; nothing is downloaded.

``python -m bench.evaluation.encoding_rates --device cuda`` needs torch, transformers and numpy, and no other package that
is not theirs. Weights and texts are random: a network of MiniLM-L6's shape, and texts of the lengths of docstrings.
"""

import argparse
import copy
import dataclasses
import json
import statistics
import string
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from bench.encoder.batching import length_batches, padding
from bench.encoder.encode import MOST_PROCESSES, encode_passages
from bench.encoder.inputs import Inputs
from bench.encoder.model import LateInteraction, Layer
from bench.encoder.on_device import TOKENS, at_precision
from bench.encoder.tokens import Tokens
from bench.training.batches import Tokenized
from bench.training.contrastive import Contrastive
from bench.training.cross_encoder import train_teacher
from bench.training.example_order import in_order
from bench.training.loop import Loop
from bench.training.pair_scores import score_pairs
from bench.training.pairs import tokenize_pairs
from bench.training.processes import Processes
from bench.training.triples import Triple

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MAXLEN = 180


@dataclass(frozen=True)
class Row:
    """A measured rate beside what bounds it, both medians of one run; ratio: the rate as a share of the bound."""

    name: str
    rate: float
    bound: float
    ratio: float
    unit: str
    goal: float | None
    note: str = ""


@dataclass(frozen=True)
class Sizes:
    """What is measured. words: of the vocabulary; texts: that are encoded; repeats: of each measurement."""

    texts: int = 22_528
    repeats: int = 5
    steps: int = 40
    batch: int = 64
    groups: int = 32
    pairs: int = 16_384
    layers: int = 6
    hidden: int = 384
    words: int = 30_522


@dataclass(frozen=True)
class Fed:
    """The settings of inputs of a late interaction model without markers, as ``bench.config.inputs`` has them."""

    query_marker: None = None
    doc_marker: None = None
    pad_queries: bool = True
    attend_to_mask_tokens: bool = False
    drop_punctuation: bool = True
    skiplist: tuple[str, ...] = ()
    filler: None = None
    special_tokens: str = "cls-sep"
    query_prompt: str = ""
    doc_prompt: str = ""
    strip: bool = False
    lowercase: bool = False


def vocabulary(words: int) -> dict[str, int]:
    """Return entries of a WordPiece vocabulary: special tokens, punctuation, letters, and made words in two halves."""
    rng = np.random.default_rng(1)
    letters = [chr(ord("a") + number) for number in range(26)]
    found = dict.fromkeys([*SPECIAL, *string.punctuation, *letters, *(f"##{letter}" for letter in letters)])
    while len(found) < words:
        made = "".join(rng.choice(letters, rng.integers(2, 9)))
        found[made if rng.random() < 0.8 else f"##{made}"] = None
    return {token: number for number, token in enumerate(found)}


def made_texts(entries: dict[str, int], count: int, seed: int = 0) -> list[str]:
    """Return texts of words that are as frequent as their rank says (Zipf), of lengths like those of docstrings."""
    rng = np.random.default_rng(seed)
    whole = [token for token in entries if len(token) > 2 and not token.startswith(("##", "["))]
    parts = [token[2:] for token in entries if token.startswith("##") and len(token) > 4]
    forms = [*whole, *(whole[number % len(whole)] + parts[number % len(parts)] for number in range(len(whole)))]
    weights = 1 / np.arange(10, len(forms) + 10)
    order = rng.permutation(len(forms))
    lengths = np.clip(rng.gamma(1.6, 75, count), 8, 400).astype(int)
    drawn = order[rng.choice(len(forms), int(lengths.sum()), p=weights / weights.sum())]
    ends = np.cumsum(lengths)
    return [
        ". ".join(" ".join(forms[number] for number in some[start : start + 12]) for start in range(0, len(some), 12))
        for some in np.split(drawn, ends[:-1])
    ]


def made_tokenizer(entries: dict[str, int]) -> transformers.PreTrainedTokenizerBase:
    return transformers.BertTokenizer(vocab=entries)


def made_config(sizes: Sizes, **more: Any) -> transformers.BertConfig:
    return transformers.BertConfig(
        vocab_size=sizes.words,
        hidden_size=sizes.hidden,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.hidden // 32,
        intermediate_size=4 * sizes.hidden,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **more,
    )


def made_encoder(sizes: Sizes, tokenizer: transformers.PreTrainedTokenizerBase, device: str) -> LateInteraction:
    torch.manual_seed(0)
    bert = transformers.BertModel(made_config(sizes), add_pooling_layer=False)
    layers = [Layer(inputs=sizes.hidden, outputs=128)]
    return LateInteraction(bert, layers, Inputs(tokenizer, Fed(), bert)).to(device).eval()  # type: ignore[arg-type]


def seconds(work: Callable[[], object], device: str) -> float:
    """Return the seconds of one call, the device's work included."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def medians(device: str, repeats: int, *works: Callable[[], object]) -> list[float]:
    """Return the median seconds of each call, alternating; each is called once before."""
    for work in works:
        work()
    taken = [[seconds(work, device) for work in works] for _ in range(repeats)]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def alone(network: Any, tokens: Tokens, pad: int, most: int, device: str) -> Callable[[], None]:
    """Return the forward pass of a network over sorted batches that are on the device already, as transformers runs it."""
    batches = list(length_batches(tokens.lengths, most))
    made = [[torch.from_numpy(part).to(device) for part in tokens.padded(batch, pad)] for batch in batches]

    def run() -> None:
        with torch.inference_mode():
            for ids, attention in made:
                network(input_ids=ids, attention_mask=attention)

    return run


def encoding(encoder: LateInteraction, texts: Sequence[str], sizes: Sizes, device: str) -> list[Row]:
    """Return the rows of tokenizing and of encoding, and the rate of the network alone is their bound."""
    gpu = device == "cuda"
    precision, most = ("bfloat16", TOKENS) if gpu else ("float32", 2048)
    tokens = encoder.inputs.passages(texts, MAXLEN)
    network = at_precision(encoder.bert, precision)
    processes = min(torch.get_num_threads(), MOST_PROCESSES)

    def end_to_end() -> None:
        encode_passages(encoder, texts, maxlen=MAXLEN, precision=precision, device=device)

    def tokenize() -> None:
        list(encoder.inputs.passage_blocks(texts, MAXLEN, 4096, processes))

    limit, ours, read = medians(
        device, sizes.repeats, alone(network, tokens, encoder.inputs.pad, most, device), end_to_end, tokenize
    )
    count = len(tokens.ids)
    waste = padding(tokens.lengths, list(length_batches(tokens.lengths, most, even_from=most // 8)))
    note = f"{len(texts)} texts, {count} tokens, {precision}; padding {waste:.1%} of sorted batches of {most} tokens"
    return [
        Row("encode passages", count / ours, count / limit, limit / ours, "tokens/s", 0.6, note),
        Row("tokenize", count / read, count / limit, limit / read, "tokens/s", None, f"{processes} processes"),
    ]


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


def measure(device: str, threads: int, sizes: Sizes = Sizes()) -> list[Row]:
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
