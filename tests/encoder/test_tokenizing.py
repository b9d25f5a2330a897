from pathlib import Path

import numpy as np
import pytest
import transformers
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.encoder import tokenizing
from bench.encoder.tokenizer_worker import packed, splits_at_spaces, unpacked
from bench.encoder.tokenizing import Tokenizing
from bench.errors import SettingsError

WORDS = ["cat", "Cats", "[MASK]", "[MASK]s", " ", "é", "e\u0301", "猫", "\u200d", "\t", "don't", "\xa0", "a.b"]
LETTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
TEXT = LETTERS | st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)


GOLDEN = Path(__file__).parents[1] / "golden" / "pylate"
PYLATE = transformers.AutoTokenizer.from_pretrained(GOLDEN / "bert-residual")
KINDS = ["", "The cat,  the cats.", " moon\t[CLS]light[SEP] ", "naïve Café 猫 ＡＢ \u0301x", "\x00 \ufffd", "x" * 300]


@pytest.fixture(scope="module")
def tokenizer(tiny_bert):
    return transformers.AutoTokenizer.from_pretrained(tiny_bert)


def own(tokenizer, texts):
    return tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(texts=st.lists(TEXT, min_size=1, max_size=4))
def test_the_ids_of_words_read_once_are_those_of_the_tokenizer(tokenizer, texts):
    assert splits_at_spaces(tokenizer.backend_tokenizer)
    read = Tokenizing(tokenizer)
    assert read(texts).lists() == own(tokenizer, texts)
    assert read(texts).lists() == own(tokenizer, texts)  # from memory


@pytest.mark.parametrize("kind", ["bert-residual", "distilbert", "modernbert", "qwen", "xlm-roberta"])
def test_the_ids_of_every_kind_of_tokenizer_are_its_own(kind):
    tokenizer = transformers.AutoTokenizer.from_pretrained(GOLDEN / kind)
    read = Tokenizing(tokenizer)
    assert read.by_words == (kind in ("bert-residual", "distilbert"))
    assert read(KINDS).lists() == own(tokenizer, KINDS)
    tokenizer(KINDS, truncation=True, max_length=4, padding=True)
    assert read(KINDS).lists() == own(tokenizer, KINDS)


@pytest.mark.parametrize("special", [False, True])
def test_a_text_with_an_entry_that_has_a_space_is_read_whole(tiny_bert, special):
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_bert)
    read = Tokenizing(tokenizer)
    texts = ["a big cat", "big", "cat a Big cat, and a cat"]
    before = read(texts).lists()
    tokenizer.add_tokens(["big cat"], special_tokens=special)
    assert read.by_words == special
    assert read(texts).lists() == own(tokenizer, texts) != before


@settings(max_examples=60, deadline=None, derandomize=True)
@given(texts=st.lists(st.text(st.sampled_from("[]QqDd \x00\u0301\ta")), min_size=1))
@example(texts=["a [Q] cat", "[q] a", "x[\x00Q] [D]\tb"])
def test_markers_with_a_space_inside_a_text_are_found_however_they_are_written(texts):
    read = Tokenizing(PYLATE)
    assert read.by_words
    assert read(texts).lists() == own(PYLATE, texts)


def test_processes_give_the_ids_of_this_one_in_order(tokenizer, monkeypatch):
    monkeypatch.setattr(tokenizing, "TEXTS_PER_MESSAGE", 3)
    rng = np.random.default_rng(0)
    words = ["cat", "moon", "[SEP]", "é", "xyz", "", "."]
    texts = [" ".join(rng.choice(words, rng.integers(0, 6))) for _ in range(50)]
    read = Tokenizing(tokenizer)
    blocks = list(read.blocks(texts, 7, processes=2))
    assert [len(block) for block in blocks] == [6] * 8 + [2]
    assert [row for block in blocks for row in block.lists()] == own(tokenizer, texts)
    assert [len(block) for block in read.blocks(texts, 7, processes=0)] == [7] * 7 + [1]


def test_a_process_that_has_ended_is_named(tokenizer, monkeypatch):
    monkeypatch.setattr(tokenizing, "TEXTS_PER_MESSAGE", 3)
    processes = tokenizing.Processes(tokenizer.backend_tokenizer, 1)
    process = processes._idle.get()
    process.kill()
    process.wait()
    processes._idle.put(process)
    with pytest.raises(SettingsError, match="process"):
        list(processes.read(["a"] * 4, 3))


@given(texts=st.lists(st.text(max_size=9), max_size=5))
def test_texts_are_packed_and_unpacked(texts):
    assert unpacked(*packed(texts)) == texts
