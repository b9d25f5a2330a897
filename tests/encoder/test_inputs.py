"""Token ids of queries and passages, against expectations written by hand."""

import string

import numpy as np
import pytest
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from bench.config.inputs import InputSettings
from bench.encoder.inputs import Inputs
from bench.errors import SettingsError
from tests.fixtures_model import SPECIAL, WORDS


@pytest.fixture(scope="module")
def tokenizer(tiny_bert):
    return transformers.AutoTokenizer.from_pretrained(tiny_bert)


@pytest.fixture
def inputs(tokenizer):
    def make(**settings):
        return Inputs(tokenizer, InputSettings(**settings))

    return make


@pytest.fixture
def ids(tokenizer):
    return lambda tokens: tokenizer.convert_tokens_to_ids(tokens.split())


def test_a_query_is_marked_and_filled_with_masks_that_are_not_attended_to(inputs, ids):
    found, attention = inputs().queries(["What is a cat?"], maxlen=10)
    assert found.tolist() == [ids("[CLS] [unused0] [UNK] is a cat ? [SEP] [MASK] [MASK]")]
    assert attention.tolist() == [[1, 1, 1, 1, 1, 1, 1, 1, 0, 0]]


def test_masks_are_attended_to_where_the_model_asks_for_it(inputs, ids):
    found, attention = inputs(attend_to_mask_tokens=True).queries(["a cat"], maxlen=7)
    assert found.tolist() == [ids("[CLS] [unused0] a cat [SEP] [MASK] [MASK]")]
    assert attention.tolist() == [[1, 1, 1, 1, 1, 1, 1]]


def test_every_padded_query_has_the_full_length_and_long_ones_are_cut(inputs, ids):
    found, attention = inputs().queries(["one horse more than a house can hold", "cats"], maxlen=6)
    assert found.tolist() == [ids("[CLS] [unused0] one horse more [SEP]"), ids("[CLS] [unused0] cat ##s [SEP] [MASK]")]
    assert attention.tolist() == [[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0]]


def test_unpadded_queries_are_as_long_as_the_longest_one(inputs, ids):
    plain = inputs(query_marker=None, pad_queries=False)
    found, attention = plain.queries(["a cat", "a big cat end"], maxlen=32)
    assert found.tolist() == [ids("[CLS] a cat [SEP] [PAD] [PAD]"), ids("[CLS] a big cat end [SEP]")]
    assert attention.tolist() == [[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]]


def test_passages_are_marked_and_cut_at_the_length_with_markers_counted(inputs, ids):
    found = inputs().passages(["one horse", "a cat and one horse", ""], maxlen=6).lists()
    assert found == [
        ids("[CLS] [unused1] one horse [SEP]"),
        ids("[CLS] [unused1] a cat and [SEP]"),
        ids("[CLS] [unused1] [SEP]"),
    ]


def test_a_model_without_markers_has_room_for_one_more_token(inputs, ids):
    assert inputs(doc_marker=None).passages(["a cat and one horse"], maxlen=6).lists() == [ids("[CLS] a cat and one [SEP]")]


def test_every_punctuation_mark_loses_its_passage_vector_and_nothing_else_does(inputs, ids):
    row = np.array(ids("[CLS] [unused1] a cat [SEP] [UNK] [MASK] " + " ".join(string.punctuation)))
    assert inputs().kept(row).tolist() == [True] * 7 + [False] * 32


def test_punctuation_is_kept_where_the_model_asks_for_it(inputs, ids):
    assert inputs(drop_punctuation=False).kept(np.array(ids("a , b . !"))).tolist() == [True] * 5


def test_punctuation_stays_in_the_ids_of_passages(inputs, ids):
    assert inputs().passages(["a cat, a dog."], maxlen=20).lists() == [ids("[CLS] [unused1] a cat , a dog . [SEP]")]


@pytest.mark.parametrize("name", ["query_marker", "doc_marker"])
def test_a_marker_missing_from_the_vocabulary_is_refused(inputs, name):
    with pytest.raises(SettingsError, match=r"marker '\[unused9\]' is not in the vocabulary"):
        inputs(**{name: "[unused9]"})


def test_a_length_without_room_for_text_is_refused(inputs, ids):
    with pytest.raises(SettingsError, match="3 tokens leaves no room"):
        inputs().passages(["a cat"], maxlen=3)
    with pytest.raises(SettingsError, match="3 tokens leaves no room"):
        inputs().queries(["a cat"], maxlen=3)
    assert inputs().passages(["a cat"], maxlen=4).lists() == [ids("[CLS] [unused1] a [SEP]")]
    assert inputs(doc_marker=None).passages(["a cat"], maxlen=3).lists() == [ids("[CLS] a [SEP]")]


def test_the_length_of_a_passage_before_it_was_cut_is_known_with_markers_counted(inputs):
    texts = ["one horse", "a cat and one horse", "", "a cat, a dog."]
    rows, uncut = inputs().measured_passages(texts, maxlen=6)
    assert uncut.tolist() == [[5, 5], [8, 8], [3, 3], [9, 7]]
    assert uncut.dtype == np.int32
    assert [len(row) for row in rows] == [5, 6, 3, 6]
    assert inputs(doc_marker=None).measured_passages(texts, maxlen=6)[1].tolist() == [[4, 4], [7, 7], [2, 2], [8, 6]]


def test_a_cut_passage_is_the_one_that_the_tokenizer_itself_cuts(inputs, tokenizer):
    texts = ["one horse more than a house can hold", "cats and dogs", "a"]
    cut = tokenizer(texts, truncation=True, max_length=5)["input_ids"]
    assert inputs(doc_marker=None).passages(texts, maxlen=5).lists() == cut


def test_queries_that_are_longer_than_their_length_are_counted(inputs):
    assert inputs().cut_queries(["one horse more than a house", "a cat", "one horse more"], maxlen=6) == 1


def test_a_word_that_the_vocabulary_lacks_is_no_punctuation_where_it_lacks_a_mark_as_well():
    words = [*SPECIAL, *[mark for mark in string.punctuation if mark not in "`~"], *WORDS.split()]
    tokenizer = transformers.BertTokenizer(vocab={token: number for number, token in enumerate(words)})
    inputs = Inputs(tokenizer, InputSettings(query_marker=None, doc_marker=None))
    assert inputs.kept(inputs.passages(["cat \u4f60 \U0001f600 dog"], 60).ids).all()


def test_punctuation_of_sentencepiece_is_dropped_and_the_start_of_a_word_is_kept():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    special = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}
    trainer = trainers.UnigramTrainer(vocab_size=150, special_tokens=list(special.values()), unk_token="<unk>")
    tokenizer.train_from_iterator([" ".join(WORDS.split())] * 20 + ["cat, dog! (bird)"] * 5, trainer)
    named = {f"{name}_token": token for name, token in special.items()}
    pieces = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)
    inputs = Inputs(pieces, InputSettings(query_marker=None, doc_marker=None))
    ids = inputs.passages(["cat, dog! bird"], 60).ids
    kept = [token.strip("\u2581") for token in pieces.convert_ids_to_tokens(ids[inputs.kept(ids)].tolist())]
    assert {",", "!"} & set(kept) == set()
    assert "".join(kept) == "<s>catdogbird</s>"
