"""The path of a GPU, run on the CPU: the vectors of the plain path, in the order of the texts."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bench.encoder import base, on_device
from bench.encoder.batching import WASTE, length_batches, padding
from bench.encoder.encode import encode_measured
from bench.encoder.model import mean_pooling
from bench.errors import SettingsError
from tests.encoder.test_encode import TEXTS


def on_cpu(encoder, precision, block=3):
    return on_device.device_passages(
        encoder,
        encoder.inputs.passage_blocks(TEXTS, 16, block, 0),
        len(TEXTS),
        16,
        precision=precision,
        device="cpu",
        progress=lambda done: None,
    )


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize(("precision", "most"), [("float32", 1e-3), ("bfloat16", 0.06)])
def test_vectors_lengths_and_counts_are_those_of_the_plain_path(
    tiny_encoder, tiny_bert, monkeypatch, pooled, precision, most
):
    encoder = mean_pooling(*base.load(tiny_bert)) if pooled else tiny_encoder()
    vectors, doclens, uncut = encode_measured(encoder, TEXTS, maxlen=16)
    monkeypatch.setattr(on_device, "TOKENS", 40)
    found, counts, said = on_cpu(encoder, precision)
    assert (found.dtype, counts.dtype, found.shape) == (np.float16, np.int32, vectors.shape)
    assert counts.tolist() == doclens.tolist()
    assert np.abs(found.astype(np.float32) - vectors).max() < most
    if not pooled:
        assert said.tolist() == uncut.tolist()


def test_bfloat16_is_in_the_weights_of_a_copy(tiny_encoder):
    encoder = tiny_encoder()
    half = on_device.at_precision(encoder.bert, "bfloat16")
    assert {parameter.dtype for parameter in half.parameters()} == {torch.bfloat16}
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}
    assert on_device.at_precision(encoder.bert, "float32") is encoder.bert


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_a_mask_with_one_row_a_text_hides_what_the_usual_mask_hides(tiny_encoder, attention):
    bert = tiny_encoder().bert
    bert.set_attn_implementation(attention)
    ids, real = torch.arange(1, 13).view(2, 6), torch.arange(6) < torch.tensor([[4], [6]])
    mask = on_device.attention_mask(bert, real)
    assert (mask.shape, mask.stride(0) % 16) == ((2, 1, 1, 6), 0)
    with torch.inference_mode():
        plain, ours = (bert(input_ids=ids, attention_mask=each).last_hidden_state for each in (real.long(), mask))
    torch.testing.assert_close(ours[real], plain[real])


def test_a_network_that_makes_its_own_masks_gets_the_usual_one():
    network = SimpleNamespace(config=SimpleNamespace(model_type="modernbert"))
    assert on_device.attention_mask(network, torch.tensor([[True, False]])).tolist() == [[1, 0]]


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
    assert on_device.batch_tokens(network, place, 100) == 65_536
    fake_card(monkeypatch, 2**25)
    each = 4 * (16 * 32 + 3 * 64) + 400
    assert on_device.batch_tokens(network, place, 100) == 2**24 // each
    fake_card(monkeypatch, 2**20)
    with pytest.raises(SettingsError, match=r"a card has 0\.0 of 80\.0 GiB free, a batch of 2048 tokens .* lower the"):
        on_device.batch_tokens(network, place, 100)


def test_no_memory_on_the_way_is_one_line(monkeypatch):
    fake_card(monkeypatch, 2**30)
    said = r"out of memory \(tried 3 GiB; 1\.0 of 80\.0 GiB free\)"
    with pytest.raises(SettingsError, match=said), on_device.naming_memory(torch.device("cuda")):
        raise torch.OutOfMemoryError("tried 3 GiB. Of the allocated")
