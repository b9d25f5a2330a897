from bench.encoder.tokens import Tokens
from bench.evaluation import encoding_rates
from bench.evaluation.encoding_rates import Sizes, made_texts, made_tokenizer, vocabulary

SMALL = Sizes(texts=20, repeats=1, layers=1, hidden=32, words=600)


def test_made_texts_are_read_by_the_made_tokenizer():
    entries = vocabulary(SMALL.words)
    assert len(entries) == SMALL.words
    tokenizer = made_tokenizer(entries)
    tokens = Tokens.of(tokenizer(made_texts(entries, 50), add_special_tokens=False)["input_ids"])
    assert made_texts(entries, 3) == made_texts(entries, 3)
    assert (tokens.ids == entries["[UNK]"]).mean() < 0.01
    assert 20 < tokens.lengths.mean() < 400


def test_encoding_and_tokenizing_stand_beside_the_network_alone():
    rows = encoding_rates.measure("cpu", 1, SMALL)
    assert [row.what for row in rows] == ["encode 20 passages, float32", "tokenize in 1 processes"]
    assert rows[0].other == rows[1].other > 0
    assert all(row.value > 0 and row.unit == "tokens/s" for row in rows)
