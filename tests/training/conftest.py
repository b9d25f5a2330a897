"""One thread: on tensors this small, more of them only wait for each other. And teachers as small as the tiny model."""

import pytest
import torch
import transformers

from tests.fixtures_model import HIDDEN, VOCABULARY


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def make_cross_encoder(tmp_path_factory):
    """``make_cross_encoder(labels=1)``: folder of a random BERT for sequence classification, as Hugging Face writes it."""

    def make(labels=1):
        folder = tmp_path_factory.mktemp("cross-encoder")
        config = transformers.BertConfig(
            vocab_size=len(VOCABULARY),
            hidden_size=HIDDEN,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=128,
            initializer_range=0.3,
            num_labels=labels,
        )
        with torch.random.fork_rng():
            torch.manual_seed(11)
            transformers.BertForSequenceClassification(config).save_pretrained(folder)
        vocabulary = {token: number for number, token in enumerate(VOCABULARY)}
        transformers.BertTokenizer(vocab=vocabulary).save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def tiny_cross_encoder(make_cross_encoder):
    return make_cross_encoder()
