import numpy as np
import pytest
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.encoder import tokenizing
from bench.encoder.tokenizer_worker import packed, splits_at_spaces, unpacked
from bench.encoder.tokenizing import Tokenizing
from bench.errors import SettingsError

WORDS = ["cat", "Cats", "[MASK]", "[MASK]s", " ", "é", "e\u0301", "猫", "\u200d", "\t", "don't", "\xa0", "a.b"]
LETTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
TEXT = LETTERS | st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)


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


def test_a_tokenizer_whose_entries_have_a_space_reads_whole_texts(tiny_bert):
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_bert)
    tokenizer.add_tokens(["good dog"])
    assert not splits_at_spaces(tokenizer.backend_tokenizer)
    texts = ["a good dog ate", "good", "dog good dog"]
    assert Tokenizing(tokenizer)(texts).lists() == own(tokenizer, texts)


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
