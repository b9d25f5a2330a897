"""The verbs that exchange indexes: out to colbert-ai and back, searched alike, and what does not belong together refused."""

import re

import numpy as np
import pytest

import bench
from bench.cli import main
from bench.encoder import checkpoint
from bench.index.index import open_index

TEXTS = ["a cat", "the dog at the door", "a cold day and a book", "air", "an animal at the door"] * 3


@pytest.fixture(scope="module")
def place(tiny_encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exchanged")
    encoder = tiny_encoder()
    checkpoint.save(encoder, folder / "model", settings={"query_maxlen": 12, "doc_maxlen": 20})
    encoder.linear.weight.data *= -1
    checkpoint.save(encoder, folder / "other", settings={"query_maxlen": 12, "doc_maxlen": 20})
    model = bench.load_model(folder / "model")
    bench.build_index(model, TEXTS, codec="residual-2", folder=folder / "ours", threads=1)
    bench.build_index(model, TEXTS[::-1], codec="residual-2", folder=folder / "turned", threads=1)
    assert main(["export", str(folder / "ours" / "index"), str(folder / "theirs"), "--layout", "colbert-ai"]) == 0
    return folder


def test_an_index_that_goes_out_and_comes_back_is_the_same_and_belongs_to_corpus_and_model(place, tmp_path, capsys):
    words = ["import", str(place / "theirs"), "--corpus", str(place / "ours" / "corpus"), "--model", str(place / "model")]
    assert main([*words, "--output", str(tmp_path / "again")]) == 0
    assert "colbert-ai, 2 bits, 15 passages" in capsys.readouterr().out
    ours, again = open_index(place / "ours" / "index"), open_index(tmp_path / "again")
    np.testing.assert_array_equal(again.vectors(slice(None)), ours.vectors(slice(None)))
    assert again.manifest.inputs["model"] == checkpoint.load(place / "model")[1].digest
    assert again.manifest.settings["encode"] == {"doc_maxlen": 20}
    assert [path.name for path in tmp_path.iterdir()] == ["again"]
    assert main([*words, "--output", str(tmp_path / "again")]) == 1
    assert "is there already; name a new folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("corpus", "model", "more", "why"),
    [
        ("turned", "model", [], "the model gives"),
        ("ours", "other", [], "have a mean cosine of -"),
        ("ours", "model", ["--doc-maxlen", "5"], "the model gives"),
    ],
)
def test_an_index_of_other_passages_or_of_another_model_is_refused(place, tmp_path, capsys, corpus, model, more, why):
    words = ["import", str(place / "theirs"), "--corpus", str(place / corpus / "corpus"), "--model", str(place / model)]
    assert main([*words, *more, "--output", str(tmp_path / "again")]) == 1
    err = capsys.readouterr().err
    assert why in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["ours/index", "OUT", "--layout", "colbert-ai", "--doc-maxlen", "20"], "--doc-maxlen .* is not used by the layout"),
        (["model", "OUT", "--layout", "official", "--checkpoint", "x"], "--checkpoint .* is not used by the layout"),
        (["model", "OUT", "--layout", "colbert-ai"], "describes a 'model' folder, but a 'index' folder"),
    ],
)
def test_flags_of_the_other_kind_are_refused_and_nothing_is_left(place, tmp_path, capsys, words, why):
    given = [str(tmp_path / "out") if word == "OUT" else word for word in words]
    assert main(["export", str(place / given[0]), *given[1:]]) == 1
    assert re.search(why, capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []
