"""Pairs joined from texts that are tokenized once, against the tokenizer's own."""

import numpy as np
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.training.pair_scores import block_scores
from bench.training.pairs import around, tokenize_pairs
from tests.fixtures_model import WORDS

TEXT = st.lists(st.sampled_from([*WORDS.split()[:30], "cats", ",", "[SEP]", "ü"]), max_size=12).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=8), maxlen=st.integers(5, 20))
def test_pairs_are_cut_and_joined_as_the_tokenizer_does_it(tiny_bert, pairs, maxlen):
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_bert)
    assert around(tokenizer) is not None
    queries, passages = zip(*pairs, strict=True)
    expected = tokenizer(list(queries), list(passages), truncation="longest_first", max_length=maxlen)
    found = tokenize_pairs(tokenizer, queries, passages, maxlen)
    assert found.tokens.lists() == expected["input_ids"]
    assert np.split(found.types, found.tokens.offsets[1:-1])[0].tolist() == expected["token_type_ids"][0]
    assert found.types.tolist() == [kind for row in expected["token_type_ids"] for kind in row]


def test_scores_of_a_block_on_a_device_stand_in_the_order_of_the_pairs(make_cross_encoder):
    folder = make_cross_encoder()
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    queries, passages = ["cat", "moon light", "a"], ["one apple and one big car", "a", "dog door"]
    tokens = tokenize_pairs(tokenizer, queries, passages, 24)
    seen = []
    with torch.inference_mode():
        found = block_scores(model, tokens, 20, torch.device("cpu"), seen.append)
        alone = [model(**tokens.batch([number], "cpu")).logits.item() for number in range(3)]
    np.testing.assert_allclose(found.numpy(), alone, atol=1e-5)
    assert sum(seen) == 3
    assert np.std(alone) > 1e-3
