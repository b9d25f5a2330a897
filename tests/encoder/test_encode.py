"""Vectors against a straightforward ColBERT written here: one text at a time, no batches, no padding."""

import string

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config.inputs import InputSettings
from bench.encoder import base, encode
from bench.encoder.batching import length_batches
from bench.encoder.encode import encode_passages, encode_queries
from bench.encoder.model import late_interaction, mean_pooling
from bench.errors import DataError
from tests.fixtures_model import HIDDEN

TEXTS = [
    "the cat had one apple, and left.",
    "moon",
    "earth light over the mountain: a long day (and night) for animals!",
    "",
    "... !",
    "no man may live on an apple alone; good food made the boy go home before morning came, and all of us now know how",
    "his horse eats paper",
]
QUERIES = ["what can a horse eat?", "moon light", "how did the boy go home before the moon came, and when"]


@pytest.fixture(scope="module")
def golden(tiny_bert):
    """``golden(tokens, attended, encoder)``: vectors of one list of tokens by the plain network."""
    network = transformers.AutoModel.from_pretrained(tiny_bert, dtype=torch.float32, attn_implementation="eager").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_bert)

    def run(tokens, attended, weight):
        ids = torch.tensor([tokenizer.convert_tokens_to_ids(tokens)])
        mask = torch.tensor([[1] * attended + [0] * (len(tokens) - attended)])
        with torch.no_grad():
            vectors = network(input_ids=ids, attention_mask=mask).last_hidden_state[0] @ weight.T
        return (vectors / vectors.norm(dim=-1, keepdim=True)).numpy()

    run.tokenize = tokenizer.tokenize
    return run


def golden_passage(golden, encoder, text, maxlen):
    tokens = ["[CLS]", "[unused1]", *golden.tokenize(text)[: maxlen - 3], "[SEP]"]
    vectors = golden(tokens, len(tokens), encoder.linear.weight.data)
    return vectors[[token not in string.punctuation for token in tokens]]


def golden_query(golden, encoder, text, maxlen, attend=False):
    tokens = ["[CLS]", "[unused0]", *golden.tokenize(text)[: maxlen - 3], "[SEP]"]
    filled = tokens + ["[MASK]"] * (maxlen - len(tokens))
    return golden(filled, maxlen if attend else len(tokens), encoder.linear.weight.data)


def test_passage_vectors_are_those_of_colbert_one_passage_at_a_time(tiny_encoder, golden):
    encoder = tiny_encoder()
    vectors, doclens = encode_passages(encoder, TEXTS, maxlen=16)
    expected = [golden_passage(golden, encoder, text, 16) for text in TEXTS]
    assert vectors.dtype == np.float16
    assert doclens.dtype == np.int32
    assert doclens.tolist() == [len(part) for part in expected]
    np.testing.assert_allclose(vectors.astype(np.float32), np.concatenate(expected), atol=2e-3)


@pytest.mark.parametrize("attend", [False, True])
def test_query_vectors_are_those_of_colbert_one_query_at_a_time(tiny_encoder, golden, attend):
    encoder = tiny_encoder(attend_to_mask_tokens=attend)
    vectors = encode_queries(encoder, QUERIES, maxlen=12)
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, 12, 16)
    expected = np.stack([golden_query(golden, encoder, text, 12, attend) for text in QUERIES])
    np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_attention_to_masks_changes_query_vectors(tiny_encoder):
    apart = encode_queries(tiny_encoder(), ["moon"], maxlen=12)
    together = encode_queries(tiny_encoder(attend_to_mask_tokens=True), ["moon"], maxlen=12)
    assert np.abs(apart - together).max() > 0.01


def test_every_vector_has_norm_one(tiny_encoder):
    vectors, _ = encode_passages(tiny_encoder(), TEXTS, maxlen=16)
    np.testing.assert_allclose(np.linalg.norm(vectors.astype(np.float32), axis=1), 1, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(encode_queries(tiny_encoder(), QUERIES, maxlen=12), axis=2), 1, atol=1e-6)


def split(vectors, doclens):
    return np.split(vectors.astype(np.float32), np.cumsum(doclens)[:-1])


def test_the_order_of_passages_changes_nothing_but_their_order(tiny_encoder):
    encoder = tiny_encoder()
    order = [5, 0, 3, 6, 1, 4, 2]
    forward = split(*encode_passages(encoder, TEXTS, maxlen=16))
    shuffled = split(*encode_passages(encoder, [TEXTS[position] for position in order], maxlen=16))
    for position, part in zip(order, shuffled, strict=True):
        np.testing.assert_allclose(part, forward[position], atol=2e-3)


@pytest.mark.parametrize("tokens", [1, 20, 40])
def test_the_size_of_batches_changes_vectors_by_rounding_only(tiny_encoder, monkeypatch, tokens):
    encoder = tiny_encoder()
    passages, doclens = encode_passages(encoder, TEXTS, maxlen=16)
    queries = encode_queries(encoder, QUERIES, maxlen=12)
    monkeypatch.setattr(encode, "TOKENS_PER_BATCH", tokens)
    smaller, again = encode_passages(encoder, TEXTS, maxlen=16)
    assert again.tolist() == doclens.tolist()
    np.testing.assert_allclose(smaller.astype(np.float32), passages.astype(np.float32), atol=2e-3)
    np.testing.assert_allclose(encode_queries(encoder, QUERIES, maxlen=12), queries, atol=1e-5)


def test_an_empty_passage_keeps_the_vectors_of_its_special_tokens(tiny_encoder):
    vectors, doclens = encode_passages(tiny_encoder(), ["", "a, b"], maxlen=16)
    assert doclens.tolist() == [3, 5]
    assert len(vectors) == 8


def test_doclens_count_the_tokens_without_punctuation(tiny_encoder):
    _, doclens = encode_passages(tiny_encoder(), ["the cat, the cats.", "?!"], maxlen=16)
    assert doclens.tolist() == [3 + 5, 3]
    _, doclens = encode_passages(tiny_encoder(drop_punctuation=False), ["the cat, the cats.", "?!"], maxlen=16)
    assert doclens.tolist() == [3 + 7, 3 + 2]


def test_unpadded_queries_end_in_zero_vectors(tiny_encoder):
    encoder = tiny_encoder(query_marker=None, pad_queries=False)
    vectors = encode_queries(encoder, ["moon light", "one horse may eat"], maxlen=32)
    assert np.linalg.norm(vectors, axis=2).round(5).tolist() == [[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]]
    alone = encode_queries(encoder, ["moon light"], maxlen=32)
    np.testing.assert_allclose(vectors[0, :4], alone[0], atol=1e-5)


def test_no_query_at_all_is_refused(tiny_encoder):
    with pytest.raises(DataError, match="there are no queries to encode"):
        encode_queries(tiny_encoder, [], maxlen=8)


def test_progress_counts_every_passage_once(tiny_encoder, monkeypatch):
    monkeypatch.setattr(encode, "TOKENS_PER_BATCH", 20)
    done = []
    encode_passages(tiny_encoder(), TEXTS, maxlen=16, progress=done.append)
    assert sum(done) == len(TEXTS)
    assert len(done) > 1


def test_bfloat16_gives_nearby_vectors_of_the_same_shape(tiny_encoder):
    encoder = tiny_encoder()
    full, doclens = encode_passages(encoder, TEXTS, maxlen=16)
    half, same = encode_passages(encoder, TEXTS, maxlen=16, precision="bfloat16")
    assert half.dtype == np.float16
    assert same.tolist() == doclens.tolist()
    cosines = (full.astype(np.float32) * half.astype(np.float32)).sum(axis=1)
    assert cosines.min() > 0.99
    assert not np.array_equal(full, half)


def test_mean_pooling_is_the_mean_over_a_text_one_vector_each(tiny_bert):
    bert, tokenizer = base.load(tiny_bert)
    encoder = mean_pooling(bert, tokenizer)
    texts = ["the cat, and", "moon"]
    vectors, doclens = encode_passages(encoder, texts, maxlen=16)
    assert doclens.tolist() == [1, 1]
    for text, vector in zip(texts, vectors, strict=True):
        with torch.no_grad():
            mean = bert(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(dim=0)
        np.testing.assert_allclose(vector.astype(np.float32), (mean / mean.norm()).numpy(), atol=2e-3)


def test_mean_pooling_treats_a_query_as_it_treats_a_passage(tiny_bert):
    encoder = mean_pooling(*base.load(tiny_bert))
    texts = ["the cat, and a dog", "moon"]
    queries = encode_queries(encoder, texts, maxlen=16)
    assert queries.shape == (2, 1, 32)
    np.testing.assert_allclose(queries[:, 0], encode_passages(encoder, texts, maxlen=16)[0].astype(np.float32), atol=2e-3)


@settings(max_examples=50, deadline=None)
@given(lengths=st.lists(st.integers(1, 50), max_size=40), tokens=st.integers(1, 200))
def test_batches_hold_every_text_once_within_the_budget(lengths, tokens):
    batches = list(length_batches(lengths, tokens))
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[position] for position in batch) <= tokens


def test_batches_go_from_short_to_long_and_are_as_full_as_the_budget_allows():
    assert [batch.tolist() for batch in length_batches([5, 2, 9, 2, 5], 10)] == [[1, 3], [0, 4], [2]]


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("pad", ["[MASK]", "[SEP]"])
def test_query_vectors_of_real_positions_stay_where_the_pad_token_is_another_token_as_well(tiny_bert, pad, padded):
    bert, tokenizer = base.load(tiny_bert)
    tokenizer.pad_token = pad
    weight = torch.from_numpy(np.random.default_rng(3).standard_normal((16, HIDDEN)).astype(np.float32))
    encoder = late_interaction(bert, tokenizer, weight, InputSettings(pad_queries=padded))
    vectors = encode_queries(encoder, ["cat", "big dog"], maxlen=12, precision="float32")
    assert vectors.any(axis=2).sum(axis=1).tolist() == ([12, 12] if padded else [4, 5])  # [CLS], the marker, words, [SEP]
