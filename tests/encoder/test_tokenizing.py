"""Flat ids against the tokenizer's own lists, word by word, whole, and in other processes."""

from pathlib import Path

import numpy as np
import pytest
import transformers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.encoder import tokenizer_worker, tokenizing
from bench.encoder.tokenizing import Tokenizing
from bench.encoder.tokens import Tokens
from bench.errors import SettingsError

GOLDEN = Path(__file__).parents[1] / "golden" / "pylate"
PYLATE = transformers.AutoTokenizer.from_pretrained(GOLDEN / "bert-residual")
TEXTS = ["", "The cat,  the cats.", " moon\t[CLS]light[SEP] ", "a b", "naïve Café 猫 ＡＢ \u0301x", "\x00 \ufffd", "x" * 300]

LETTERS = st.one_of(st.sampled_from(" \t\n.,[]a#'M\u0301İß"), st.characters(exclude_categories=["Cs"]))


def own(tokenizer, texts):
    return tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]


@pytest.fixture(scope="module")
def bert(tiny_bert):
    return transformers.AutoTokenizer.from_pretrained(tiny_bert)


@pytest.mark.parametrize("kind", ["bert-residual", "distilbert", "modernbert", "qwen", "xlm-roberta"])
def test_the_ids_of_every_kind_of_tokenizer_are_its_own(kind):
    tokenizer = transformers.AutoTokenizer.from_pretrained(GOLDEN / kind)
    reading = Tokenizing(tokenizer)
    assert reading.by_words == (kind in ("bert-residual", "distilbert"))
    assert reading(TEXTS).lists() == own(tokenizer, TEXTS)
    tokenizer(TEXTS, truncation=True, max_length=4, padding=True)
    assert reading(TEXTS).lists() == own(tokenizer, TEXTS)


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.text(LETTERS), min_size=1))
@example(texts=["[CLS] [ CLS] a[MASK]b", "cat s cats ##s"])
def test_the_ids_of_a_text_are_those_of_its_words(bert, texts):
    assert Tokenizing(bert)(texts).lists() == own(bert, texts)


@pytest.mark.parametrize("special", [False, True])
def test_a_text_with_an_entry_that_has_a_space_is_read_whole(tiny_bert, special):
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_bert)
    reading = Tokenizing(tokenizer)
    assert reading.by_words
    texts = ["a big cat", "big", "cat a Big cat, and a cat"]
    before = reading(texts).lists()
    tokenizer.add_tokens(["big cat"], special_tokens=special)
    assert reading.by_words == special
    assert reading(texts).lists() == own(tokenizer, texts) != before


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text(st.sampled_from("[]QqDd \x00\u0301\ta")), min_size=1))
@example(texts=["a [Q] cat", "[q] a", "x[\x00Q] [D]\tb"])
def test_markers_with_a_space_inside_a_text_are_found_however_they_are_written(texts):
    assert Tokenizing(PYLATE).by_words
    assert Tokenizing(PYLATE)(texts).lists() == own(PYLATE, texts)


def test_other_processes_give_the_same_ids_in_blocks_of_whole_messages(bert, monkeypatch):
    monkeypatch.setattr(tokenizing, "TEXTS_PER_MESSAGE", 2)
    reading = Tokenizing(bert)
    texts = [text for number in range(4) for text in (f"cat {number}", *TEXTS)]
    found = list(reading.blocks(texts, 5, 2))
    assert [len(block) for block in found] == [4] * 8
    assert Tokens.joined(found).lists() == own(bert, texts)
    assert Tokens.joined(list(reading.blocks(texts, 100, 2))).lists() == own(bert, texts)


def test_a_process_that_ends_is_an_error_and_no_lost_text(bert):
    processes = tokenizing.Processes(bert.backend_tokenizer, 1)
    process = processes._idle.get()
    process.kill()
    process.wait()
    processes._idle.put(process)
    with pytest.raises(SettingsError, match="has ended with -9"):
        list(processes.read(["a"], 1))


@given(texts=st.lists(st.text()))
def test_texts_come_out_of_a_message_as_they_went_in(texts):
    assert tokenizer_worker.unpacked(*tokenizer_worker.packed(texts)) == texts


@given(rows=st.lists(st.lists(st.integers(0, 99), max_size=6)), most=st.integers(1, 5))
def test_flat_ids_are_cut_wrapped_and_marked_like_lists(rows, most):
    found = Tokens.of(rows).cut(most)
    assert found.lists() == [row[:most] for row in rows]
    assert found.wrapped([1, 2], [3]).lists() == [[1, 2, *row[:most], 3] for row in rows]
    assert found.inserted([7, 8]).lists() == [[*row[:most][:1], 7, 8, *row[:most][1:]] for row in rows]


def test_padded_ids_and_masks_are_those_of_the_chosen_texts():
    ids, attention = Tokens.of([[5], [6, 7, 8], [9, 9]]).padded(np.array([2, 0]), 4)
    assert ids.tolist() == [[9, 9], [5, 4]]
    assert attention.tolist() == [[1, 1], [1, 0]]
