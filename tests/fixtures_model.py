"""A random BERT of two layers as a Hugging Face folder, and encoders made from it."""

import string
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from bench.config.inputs import InputSettings
from bench.encoder import base
from bench.encoder.model import LateInteraction, late_interaction

SPECIAL = ["[PAD]", "[unused0]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = """
    a about above after again air all an and animal answer any apple are as at back be because been before big bird book
    boy but by cake call came can car cat chase city cold come could country day did do dog door down each earth eat end
    even eye far fast father find fire first fish food for found from girl give go good great green had hand hard has have
    he head hear help her here high him his home horse hot house how if in is it its just know land large last leave left
    life light like line little live long look made make man many may me milk moon more morning most mother mountain move
    much must my name near new night no not now number of off old on one or other our out over own page paper
"""
VOCABULARY = [*SPECIAL, *string.punctuation, *WORDS.split(), "##s", "##ed", "##ing"]
HIDDEN = 32


def write_tiny_bert(folder: Path, seed: int = 7) -> Path:
    """Write config, safetensors weights and tokenizer."""
    config = transformers.BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        initializer_range=0.2,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        transformers.BertModel(config).save_pretrained(folder)
    vocabulary = {token: number for number, token in enumerate(VOCABULARY)}
    transformers.BertTokenizer(vocab=vocabulary).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with config, safetensors weights and tokenizer."""
    return write_tiny_bert(tmp_path_factory.mktemp("tiny-bert"))


@pytest.fixture(scope="session")
def tiny_encoder(tiny_bert: Path) -> Callable[..., LateInteraction]:
    """A maker of encoders: ``tiny_encoder(dim=16, **input_settings)``, the same weights each time."""

    def make(dim: int = 16, **inputs: object) -> LateInteraction:
        bert, tokenizer = base.load(tiny_bert)
        weight = np.random.default_rng(3).standard_normal((dim, HIDDEN)).astype(np.float32)
        return late_interaction(bert, tokenizer, torch.from_numpy(weight), InputSettings(**inputs))

    return make
