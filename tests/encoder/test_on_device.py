"""The encoding of a GPU, run on the CPU, against the encoding of the CPU."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bench.encoder import on_device
from bench.encoder.batching import WASTE, length_batches
from bench.encoder.encode import encode_measured
from bench.encoder.model import mean_pooling
from bench.encoder.on_device import batch_tokens, device_passages, kept_counts
from bench.errors import SettingsError
from tests.encoder.test_encode import TEXTS


def on_blocks(encoder, texts, block, precision="float32"):
    blocks = encoder.inputs.passage_blocks(texts, 16, block, processes=0)
    how = {"precision": precision, "device": "cpu", "progress": lambda done: None}
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


def test_bfloat16_is_in_the_weights_of_a_copy_and_its_vectors_are_near(tiny_encoder):
    encoder = tiny_encoder()
    half = on_device.at_precision(encoder.bert, "bfloat16")
    assert {parameter.dtype for parameter in half.parameters()} == {torch.bfloat16}
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}
    assert on_device.at_precision(encoder.bert, "float32") is encoder.bert
    expected, doclens, *_ = encode_measured(encoder, TEXTS, maxlen=16)
    vectors, counts, *_ = on_blocks(encoder, TEXTS, 3, "bfloat16")
    assert counts.tolist() == doclens.tolist()
    assert 0 < np.abs(vectors.astype(np.float32) - expected).max() < 0.06


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("dtype", [None, torch.float64])
def test_a_mask_with_one_row_a_text_hides_what_the_usual_mask_hides(tiny_encoder, attention, dtype):
    bert = tiny_encoder().bert.to(dtype or torch.float32)
    bert.set_attn_implementation(attention)
    ids, real = torch.arange(1, 13).view(2, 6), torch.arange(6) < torch.tensor([[4], [6]])
    mask = on_device.attention_mask(bert, real, dtype)
    assert (mask.shape, mask.stride(0) % 16, mask.dtype) == ((2, 1, 1, 6), 0, dtype or torch.float32)
    with torch.inference_mode():
        plain, ours = (bert(input_ids=ids, attention_mask=each).last_hidden_state for each in (real.long(), mask))
    torch.testing.assert_close(ours[real], plain[real])


def test_a_network_that_makes_its_own_masks_gets_the_usual_one():
    network = SimpleNamespace(config=SimpleNamespace(model_type="modernbert"))
    assert on_device.attention_mask(network, torch.tensor([[True, False]])).tolist() == [[1, 0]]


def padding(lengths, batches):
    return 1 - lengths.sum() / sum(len(batch) * lengths[batch].max() for batch in batches)


def test_even_batches_of_a_block_of_passages_waste_no_more_than_a_twentieth():
    lengths = np.clip(np.random.default_rng(0).gamma(1.6, 75, 4096), 20, 180).astype(np.int32)
    batches = list(length_batches(lengths, 65_536, even_from=8_192))
    assert sorted(np.concatenate(batches)) == list(range(4096))
    assert padding(lengths, batches) <= WASTE
    assert padding(lengths, list(length_batches(lengths, 65_536))) > padding(lengths, batches)


def fake_card(monkeypatch, free):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda place: (free, 80 * 2**30))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda place: 0)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda place: 0)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda place: "a card")


def test_a_batch_takes_what_memory_allows_and_a_card_too_small_is_refused(tiny_encoder, monkeypatch):
    network, place = tiny_encoder().bert, torch.device("cuda")
    fake_card(monkeypatch, 70 * 2**30)
    assert batch_tokens(network, place, 100) == 65_536
    fake_card(monkeypatch, 2**25)
    each = 4 * (16 * 32 + 3 * 64) + 400
    assert batch_tokens(network, place, 100) == 2**24 // each
    fake_card(monkeypatch, 2**20)
    with pytest.raises(SettingsError, match=r"a card has 0\.0 of 80\.0 GiB free, a batch of 2048 tokens .* lower the"):
        batch_tokens(network, place, 100)


def test_no_memory_on_the_way_is_one_line(monkeypatch):
    fake_card(monkeypatch, 2**30)
    said = r"out of memory \(tried 3 GiB; 1\.0 of 80\.0 GiB free\)"
    with pytest.raises(SettingsError, match=said), on_device.naming_memory(torch.device("cuda")):
        raise torch.OutOfMemoryError("tried 3 GiB. Of the allocated")
