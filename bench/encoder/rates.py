"""How fast a machine encodes beside the network alone in the same run, for ``bench gpu-check``; nothing is downloaded.

Weights and texts are random: a network of MiniLM-L6's shape, and texts of the lengths of docstrings.
"""

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import transformers

from bench.encoder.batching import length_batches
from bench.encoder.encode import MOST_PROCESSES, TOKENS_PER_BATCH, encode_passages
from bench.encoder.inputs import Inputs
from bench.encoder.model import LateInteraction, Layer
from bench.encoder.on_device import TOKENS, at_precision
from bench.encoder.tokens import Tokens
from bench.machine.rates import Row, medians

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MAXLEN = 180


@dataclass(frozen=True)
class Sizes:
    """What is measured. words: of the vocabulary; texts: that are encoded; repeats: of each measurement."""

    texts: int = 22_528
    repeats: int = 5
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


def usual(device: str) -> tuple[str, int]:
    """Return the precision and the tokens of a batch that a device is measured with."""
    return ("bfloat16", TOKENS) if device == "cuda" else ("float32", TOKENS_PER_BATCH)


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
    precision, most = usual(device)
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
    return [
        Row(f"encode {len(texts):,} passages, {precision}", count / ours, "tokens/s", "the network alone", count / limit),
        Row(f"tokenize in {processes} processes", count / read, "tokens/s", "the network alone", count / limit),
    ]
