from bench.config.inputs import InputSettings
from bench.encoder.rates import Fed, made_texts, made_tokenizer, vocabulary
from bench.encoder.tokens import Tokens


def test_made_texts_are_read_by_the_made_tokenizer():
    entries = vocabulary(600)
    assert len(entries) == 600
    tokenizer = made_tokenizer(entries)
    tokens = Tokens.of(tokenizer(made_texts(entries, 50), add_special_tokens=False)["input_ids"])
    assert made_texts(entries, 3) == made_texts(entries, 3)
    assert (tokens.ids == entries["[UNK]"]).mean() < 0.01
    assert 20 < tokens.lengths.mean() < 400


def test_settings_of_inputs_are_those_that_are_declared():
    assert vars(Fed()) == InputSettings(query_marker=None, doc_marker=None).model_dump()
