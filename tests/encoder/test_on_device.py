"""The encoding of a GPU, run on the CPU, against the encoding of the CPU."""

import numpy as np
import pytest

from bench.encoder import on_device
from bench.encoder.encode import encode_measured
from bench.encoder.model import mean_pooling
from bench.encoder.on_device import batch_tokens, device_passages, kept_counts
from tests.encoder.test_encode import TEXTS


def on_blocks(encoder, texts, block):
    blocks = encoder.inputs.passage_blocks(texts, 16, block, processes=0)
    how = {"precision": "float32", "device": "cpu", "progress": lambda done: None}
    return device_passages(encoder, blocks, len(texts), 16, **how)


@pytest.mark.parametrize("block", [1, 3, 100])
@pytest.mark.parametrize("settings", [{}, {"drop_punctuation": False}])
def test_blocks_on_a_device_give_the_vectors_of_the_cpu_in_the_order_of_the_texts(tiny_encoder, block, settings):
    encoder = tiny_encoder(**settings)
    expected = encode_measured(encoder, TEXTS, maxlen=16)
    vectors, doclens, uncut, tokens = on_blocks(encoder, TEXTS, block)
    np.testing.assert_allclose(vectors.astype(np.float32), expected[0].astype(np.float32), atol=2e-3)
    np.testing.assert_array_equal(doclens, expected[1])
    np.testing.assert_array_equal(uncut, expected[2])
    np.testing.assert_array_equal(tokens, expected[3])


def test_small_batches_with_their_masks_give_the_same_vectors(tiny_encoder, monkeypatch):
    monkeypatch.setattr(on_device, "batch_tokens", lambda *_: 20)
    encoder = tiny_encoder()
    expected = encode_measured(encoder, TEXTS, maxlen=16).vectors
    np.testing.assert_allclose(on_blocks(encoder, TEXTS, 5)[0].astype(np.float32), expected.astype(np.float32), atol=2e-3)


def test_a_model_with_one_vector_a_text_has_one_a_text_on_a_device(tiny_encoder):
    tiny = tiny_encoder()
    pooled = mean_pooling(tiny.bert, tiny.inputs.tokenizer)
    expected, doclens, _, none = encode_measured(pooled, TEXTS, maxlen=16)
    assert none is None
    vectors, counts, _, _ = on_blocks(pooled, TEXTS, 3)
    np.testing.assert_allclose(vectors.astype(np.float32), expected.astype(np.float32), atol=2e-3)
    np.testing.assert_array_equal(counts, doclens)


def test_numbers_of_vectors_are_known_before_anything_is_encoded(tiny_encoder):
    encoder = tiny_encoder()
    tokens, uncut = encoder.inputs.measured_passages(TEXTS, 100)
    np.testing.assert_array_equal(kept_counts(encoder, tokens), uncut[:, 1])


def test_a_device_without_a_limit_takes_the_batch_that_is_wanted(tiny_encoder):
    encoder = tiny_encoder()
    assert batch_tokens(encoder.bert, next(encoder.bert.parameters()).device, 16, 777) == 777
