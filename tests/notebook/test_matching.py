"""Matches of a question's tokens, and how they are marked in a text."""

import pytest

import bench
from bench.encoder import checkpoint
from bench.errors import DataError
from bench.notebook.matching import Match, as_html, as_text, matches, pieces, shortened

TEXT = "The  dog <b>at</b> the door!"


@pytest.fixture
def model(tiny_encoder, tmp_path):
    checkpoint.save(tiny_encoder(), tmp_path / "model", settings={"query_maxlen": 12, "doc_maxlen": 20})
    return bench.load_model(tmp_path / "model")


def won(token, span, value=0.5, of_text=True):
    return Match(token, "x", value, of_text, span)


def test_the_parts_of_all_tokens_add_up_to_the_score_and_spans_are_where_the_tokens_stand(model):
    query, passage = model.encode("a dog", queries=True)[0], model.encode(TEXT)[0]
    found = matches(model.encoder.inputs, "a dog", query, TEXT, passage, 12, 20)
    assert sum(match.value for match in found) == pytest.approx(float((query @ passage.T).max(axis=1).sum()), rel=1e-5)
    assert [match.token for match in found if match.of_text] == ["a", "dog"]
    assert len(found) == 12
    tokens = model.encoder.inputs.tokenizer
    for match in found:
        if match.span:
            assert tokens.tokenize(TEXT[slice(*match.span)])[0].removeprefix("##") == match.match.removeprefix("##")


def test_spans_are_one_for_each_id_and_cover_the_words_in_their_order(model):
    inputs = model.encoder.inputs
    spans = inputs.spans(TEXT, 20)
    assert len(spans) == len(inputs.passages([TEXT], 20).ids)
    assert spans[:2] == [None, None]
    assert spans[-1] is None
    words = [TEXT[slice(*span)] for span in spans if span]
    assert "".join(words) == "".join(TEXT.split())
    assert len(inputs.spans(TEXT, 6)) == 6


def test_another_length_than_that_of_the_vectors_is_refused(model):
    query, passage = model.encode("a dog", queries=True)[0], model.encode(TEXT)[0]
    with pytest.raises(DataError, match="encoded by another model or at another length"):
        matches(model.encoder.inputs, "a dog", query, TEXT, passage[:-1], 12, 20)


def test_only_tokens_of_the_question_mark_a_text_and_the_pieces_make_it_up():
    found = [won("dog", (5, 8), 0.9), won("a", (5, 8), 0.2), won("[MASK]", (0, 3), of_text=False), won("[Q]", None)]
    parts = pieces(TEXT, found)
    assert [(part, [match.token for match in matched]) for part, matched in parts] == [
        ("The  ", []),
        ("dog", ["dog", "a"]),
        (" <b>at</b> the door!", []),
    ]
    assert as_text(parts, "[", "]") == "The [dog] <b>at</b> the door!"
    shown = as_html(parts)
    assert 'title="dog 0.90, a 0.20"' in shown
    assert "rgba(255,170,0,0.90)" in shown
    assert "&lt;b&gt;at&lt;/b&gt; the door!" in shown
    assert "<b>" not in shown


def test_a_long_text_is_cut_around_what_is_marked():
    text = "x" * 500 + " dog " + "y" * 500
    short = as_text(shortened(pieces(text, [won("dog", (501, 504))]), 100), "[", "]")
    assert short.startswith("… x")
    assert short.endswith("y …")
    assert " [dog] " in short
    assert len(short) < 120
    assert shortened(pieces("short", []), 100) == [("short", ())]
