"""The face for notebooks, on a tiny random encoder."""

import runpy
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import bench
from bench.encoder import checkpoint
from bench.errors import DamagedFileError, DataError, SettingsError
from bench.files.provenance import ROOT, import_closure

TEXTS = ["a cat", "the dog at the door", "a cold day and a book", "air", "an animal at the door"]
QRELS = {"q1": {"a": 1}, "q2": {"b": 1, "c": 2}, "q3": {"a": 1}}
RUN = {"q1": {"a": 2.0, "b": 1.0}, "q2": {"a": 3.0, "b": 2.0, "c": 1.0}}


@pytest.fixture
def folder(tiny_encoder, tmp_path):
    checkpoint.save(tiny_encoder(), tmp_path / "model", settings={"query_maxlen": 12, "doc_maxlen": 20})
    return tmp_path / "model"


@pytest.fixture
def model(folder):
    return bench.load_model(folder)


def test_importing_the_package_imports_nothing_heavy_and_no_module_of_the_face():
    heavy = ("torch", "numpy", "pandas", "transformers", "numba", "faiss", "pydantic", "bench.notebook")
    code = f"import bench, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_verb_depends_on_the_face():
    assert "bench" in import_closure("bench.verbs.verify")
    assert [name for name in import_closure("bench.verbs.verify") if name.startswith("bench.notebook")] == []


def test_the_names_of_the_face_are_listed_and_others_are_no_attributes():
    assert set(bench.__all__) == {"load_model", "build_index", "open_index", "evaluate", "compare"} <= set(dir(bench))
    with pytest.raises(AttributeError, match="'bench' has no attribute 'nosuch'"):
        bench.nosuch  # noqa: B018


def test_a_model_has_the_lengths_of_its_training_and_says_how_it_is_used(model, folder):
    assert (model.dim, model.query_maxlen, model.doc_maxlen) == (16, 12, 20)
    assert repr(model).startswith(f"Model({str(folder)!r}, dim=16, query_maxlen=12, doc_maxlen=20, query_marker='[unused0]'")
    assert bench.load_model(folder, doc_maxlen=30).doc_maxlen == 30


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("somebody/colbert", SettingsError, "load_model: revision None .* is not 40 hex digits"),
        ("./nosuch", SettingsError, "is no folder"),
    ],
)
def test_a_model_that_is_not_there_is_refused(name, error, message):
    with pytest.raises(error, match=message):
        bench.load_model(name)


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(DamagedFileError):
        bench.load_model(tmp_path)


@pytest.mark.parametrize("codec", ["fp16", "residual-2", "opq-8x2", "residual-1", "residual-2t"])
def test_a_text_is_found_by_itself(model, codec):
    index = bench.build_index(model, TEXTS, codec=codec, threads=1)
    results = index.search(TEXTS, k=3)
    assert [len(hits) for hits in results] == [3] * 5
    if codec == "fp16":
        vectors, doclens = model.encode_passages(TEXTS)
        asked = model.encode_queries(TEXTS)
        parts = np.split(vectors.astype(np.float32), np.cumsum(doclens)[:-1])
        expected = [max((part @ query.T).max(axis=0).sum() for part in parts) for query in asked]
        np.testing.assert_allclose([hits[0].score for hits in results], expected, rtol=1e-4)


def test_hits_have_ranks_ids_scores_and_texts_and_make_a_run(model):
    index = bench.build_index(model, TEXTS, ids=list("abcde"))
    results = index.search({"q": "a dog"}, k=2)
    first, second = results[0]
    assert (first.rank, second.rank) == (1, 2)
    assert first.text == TEXTS["abcde".index(first.id)]
    assert results.run == {"q": {first.id: first.score, second.id: second.score}}
    shown = results._repr_html_()
    assert '<th colspan="4" style="text-align:left;vertical-align:top">a dog</th>' in shown
    assert shown.count("<td") == 2 * 4
    assert "<mark" in shown
    frame = results.frame
    assert frame[["query_id", "query", "rank", "id"]].values.tolist() == [
        ["q", "a dog", 1, first.id],
        ["q", "a dog", 2, second.id],
    ]
    assert sum(match.value for match in results.matches("q", first)) == pytest.approx(first.score, rel=1e-4)
    assert f"a dog  1  {first.score:.3f}  {first.id}  {first.text}" in repr(results)


@pytest.mark.parametrize("codec", ["fp16", "residual-4", "residual-4t"])
def test_a_merged_index_has_fewer_vectors_and_a_match_is_the_token_nearest_to_what_it_was_merged_to(model, codec, tmp_path):
    whole = bench.build_index(model, TEXTS, codec=codec, threads=1)
    merged = bench.build_index(model, TEXTS, codec=codec, pool=2, threads=1, folder=tmp_path / "merged")
    counts = merged.index.manifest.counts["vectors"], whole.index.manifest.counts["vectors"]
    assert counts[0] == counts[1] // 2
    opened = bench.open_index(tmp_path / "merged", model)
    (hit,) = opened.search("the dog", k=1)[0]
    found = opened.explain("the dog", hit)
    assert sum(match.value for match in found) == pytest.approx(hit.score, rel=1e-4)
    tokens = set(model.encoder.inputs.tokenizer.tokenize(hit.text))
    assert {match.match for match in found if match.span} <= tokens
    assert "<mark" in opened.search("the dog", k=5)._repr_html_()
    with pytest.raises(SettingsError, match="pool 0 of build_index must be at least 1"):
        bench.build_index(model, TEXTS, pool=0)


def test_engines_take_their_own_values_and_refuse_others(model):
    index = bench.build_index(model, TEXTS)
    exact = index.search("a dog", k=5)
    assert [hit.id for hit in index.search("a dog", k=5, engine="colbertv2", nprobe=8, ncandidates=9)[0]] == [
        hit.id for hit in exact[0]
    ]
    with pytest.raises(SettingsError, match="search: ncells: is missing"):
        index.search("a dog", engine="plaid")
    with pytest.raises(SettingsError, match="at most 2 passages"):
        index.search("a dog", k=3, engine="colbertv2", nprobe=1, ncandidates=2)
    with pytest.raises(SettingsError, match="k 0 of search must be at least 1"):
        index.search("a dog", k=0)


def test_an_index_in_a_folder_is_opened_again_and_never_overwritten(model, tmp_path):
    built = bench.build_index(model, TEXTS, folder=tmp_path / "index")
    opened = bench.open_index(tmp_path / "index", model)
    assert repr(opened) == repr(built)
    assert opened.search("a dog").run == built.search("a dog").run
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == ["corpus", "index"]
    with pytest.raises(SettingsError, match="is not empty; name a new one"):
        bench.build_index(model, TEXTS, folder=tmp_path / "index")


@pytest.mark.parametrize("texts", [["one"], ["same"] * 30])
def test_one_passage_and_equal_passages_can_be_indexed(model, texts):
    index = bench.build_index(model, texts)
    assert len(index.search("same", k=40)[0]) == len(texts) == len(index)


@pytest.mark.parametrize(
    ("texts", "ids", "codec", "message"),
    [
        ([], None, "residual-2", "was given no texts"),
        ("a text", None, "residual-2", "was given no texts"),
        (["a", "b"], ["1"], "residual-2", "1 ids for 2 texts"),
        (["a", "b"], ["1", "1"], "residual-2", "id '1' of build_index repeats"),
        (["a", "b"], ["1", "2 3"], "residual-2", "id '2 3' of build_index repeats, is empty or has white space"),
        (["a"], None, "residual-3", "nbits 3 of codec 'residual-3' in build_index"),
    ],
)
def test_what_cannot_be_indexed_is_refused(model, texts, ids, codec, message):
    with pytest.raises((DataError, SettingsError), match=message):
        bench.build_index(model, texts, ids, codec=codec)


def test_a_judged_query_that_the_run_lacks_counts_as_zero():
    found = bench.evaluate(RUN, QRELS, ["RR@10", "R@10"])
    assert found.mean["RR@10"] == pytest.approx((1 + 0.5 + 0) / 3)
    assert found.mean["R@10"] == pytest.approx((1 + 1 + 0) / 3)
    assert found.per_query["RR@10"]["q3"] == 0.0
    assert repr(found) == "RR@10 0.5000\nR@10 0.6667\n3 judged queries"
    assert "0.6667" in found._repr_html_()


def test_runs_and_judgements_may_be_files(tmp_path):
    lines = [f"{query} Q0 {passage} 1 {score} t" for query, found in RUN.items() for passage, score in found.items()]
    (tmp_path / "run.trec").write_text("\n".join(lines) + "\n")
    judged = [f"{query} 0 {passage} {grade}" for query, found in QRELS.items() for passage, grade in found.items()]
    (tmp_path / "qrels.txt").write_text("\n".join(judged) + "\n")
    expected = bench.evaluate(RUN, QRELS, ["nDCG@10"]).per_query
    assert bench.evaluate(tmp_path / "run.trec", tmp_path / "qrels.txt", ["nDCG@10"]).per_query == expected
    (tmp_path / "qrels.txt").write_text("q1 0 a\n")
    with pytest.raises(DataError, match=r"qrels\.txt:1: 'q1 0 a' is not QUERY 0 PASSAGE GRADE"):
        bench.evaluate(RUN, tmp_path / "qrels.txt", ["nDCG@10"])


def test_a_comparison_counts_wins_and_says_what_was_shown():
    other = {"q1": {"b": 2.0, "a": 1.0}, "q2": RUN["q2"], "q3": {"b": 1.0}}
    found = bench.compare(RUN, other, QRELS, "RR@10")
    assert (found.mean, found.wins, found.ties, found.losses) == (pytest.approx(0.5 / 3), 1, 2, 0)
    assert (found.verdict, found.equivalence) == ("undecided", None)
    same = bench.compare(RUN, RUN, QRELS, "RR@10", margin=0.01)
    assert (same.mean, same.verdict, same.p) == (0.0, "equivalent within the margin", 1.0)


def test_a_measure_that_cannot_be_computed_and_no_judgements_are_refused():
    with pytest.raises(SettingsError, match="'alpha_nDCG@10' of evaluate cannot be computed here"):
        bench.evaluate(RUN, QRELS, ["alpha_nDCG@10"])
    with pytest.raises(DataError, match="no judged query"):
        bench.compare(RUN, RUN, {}, "RR@10")


def test_the_example_runs(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["notebook.py", str(folder)])
    runpy.run_path(str(ROOT / "examples" / "notebook.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert "SearchIndex(4 passages" in printed
    assert "2 judged queries" in printed
    assert "measure='RR@3'" in printed


def test_frames_of_texts_and_of_queries_are_taken_by_their_columns(model):
    frame = pd.DataFrame({"id": [10, 20, 30], "text": TEXTS[:3], "more": 0})
    index = bench.build_index(model, frame, codec="fp16", threads=1)
    plain = bench.build_index(model, TEXTS[:3], ["10", "20", "30"], codec="fp16", threads=1)
    asked = pd.DataFrame({"id": ["a"], "text": ["a dog"]})
    assert index.search(asked).run == plain.search({"a": "a dog"}).run
    with pytest.raises(DataError, match=r"the frame given to build_index has no column 'text'; it has \['id'\]"):
        bench.build_index(model, frame[["id"]])
    with pytest.raises(DataError, match="the frame given to search has rows without id or text"):
        index.search(pd.DataFrame({"id": ["a"], "text": [None]}))
    with pytest.raises(SettingsError, match="was given ids beside a frame"):
        bench.build_index(model, frame, ["1", "2", "3"])


def test_encode_gives_the_vectors_of_each_text_alone(model):
    vectors, doclens = model.encode_passages(TEXTS)
    found = model.encode(TEXTS)
    assert [len(rows) for rows in found] == doclens.tolist()
    np.testing.assert_array_equal(np.concatenate(found), vectors.astype(np.float32))
    (query,) = model.encode("a dog", queries=True)
    np.testing.assert_array_equal(query, model.encode_queries(["a dog"])[0])
    assert model.encode([]) == []
