"""From a model to tuples by the verbs alone: encode, index, mine, score, draw, and the table of it."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bench.cli import main
from bench.corpus import registry
from bench.corpus.texts import Text, open_passages, open_queries, write_passages, write_queries
from bench.encoder import base, checkpoint
from bench.encoder.model import mean_pooling
from bench.files.storage import MANIFEST, write_text
from bench.report import supervision
from bench.search.lexical import BM25
from bench.search.queries import open_query_vectors, write_query_vectors
from bench.training.fusion import fused
from bench.training.mined import open_mined
from bench.training.query_groups import directions
from bench.training.scores import open_scored
from bench.training.teachers import CrossEncoderTeacher
from bench.training.triples import Triple, read_triples, write_triples
from bench.training.tuples import read_tuples

SUBJECTS = ["cat", "dog", "bird", "horse", "fish"]
PLACES = ["in the house", "on the mountain", "at night", "near the city"]
PASSAGES = [Text(f"d{n}", f"the {SUBJECTS[n % 5]} {PLACES[n % 4]}") for n in range(20)]
QUERIES = [Text(f"q{n}", f"where is a {SUBJECTS[n % 5]}") for n in range(7)]
QRELS = {f"q{n}": {f"d{n}": 1, f"d{n + 5}": 1, f"d{n + 6}": 0} for n in range(6)}  # q6 has no judgement
COMPUTE = ["--precision", "float32", "--threads", "1"]


@pytest.fixture(scope="module")
def work(tmp_path_factory, tiny_encoder, tiny_bert):
    """Folder with corpus, queries, models, index, and two mined shards of the seven queries to depth 6."""
    folder = tmp_path_factory.mktemp("work")
    write_passages(folder / "corpus", PASSAGES)
    write_queries(folder / "queries", QUERIES, QRELS)
    checkpoint.save(tiny_encoder(), folder / "model")
    checkpoint.save(mean_pooling(*base.load(tiny_bert)), folder / "pooled")
    model, corpus = ["--model", str(folder / "model")], ["--corpus", str(folder / "corpus")]
    encode = [*corpus, "--shard", "0", "--passages-per-shard", "20", "--doc-maxlen", "16"]
    encode += ["--output", str(folder / "vectors")]
    assert main(["encode", *model, *encode, *COMPUTE]) == 0
    assert main(["index", *corpus, "--vectors", str(folder / "vectors"), "--output", str(folder / "index")]) == 0
    mine(folder, folder)
    return folder


def mine(work, folder):
    """Encode and mine the queries of ``folder`` with model and index of ``work``, in two shards."""
    queries = ["--queries", str(folder / "queries"), "--query-maxlen", "12", "--output", str(folder / "query-vectors")]
    assert main(["encode-queries", "--model", str(work / "model"), *queries, *COMPUTE]) == 0
    for shard in "01":
        words = ["--index", str(work / "index"), "--queries", str(folder / "query-vectors"), "--engine", "exact"]
        words += ["--depth", "6", "--shard", shard, "--shards", "2", "--threads", "1"]
        assert main(["mine", *words, "--output", str(folder / f"mined-{shard}")]) == 0


def score_words(work, shard, output, *teacher, **changes):
    given = {"mined": work / f"mined-{shard}", "corpus": work / "corpus", "queries": work / "queries", **changes}
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    return ["score", *words, *teacher, "--max-length", "32", *COMPUTE, "--output", str(output)]


@pytest.fixture(scope="module")
def scored(work, tiny_cross_encoder):
    """Both shards, scored by the tiny cross-encoder."""
    for shard in "01":
        words = ["--teacher", "cross-encoder", "--folder", str(tiny_cross_encoder)]
        assert main(score_words(work, shard, work / f"scored-{shard}", *words)) == 0
    return [work / "scored-1", work / "scored-0"]


def test_every_mined_and_every_relevant_passage_has_the_teachers_score_of_its_own_text(work, scored, tiny_cross_encoder):
    teacher = CrossEncoderTeacher(tiny_cross_encoder, maxlen=32, precision="float32")
    mined = [open_mined(work / f"mined-{shard}") for shard in "01"]
    students = {name: row.tolist() for shard in mined for name, row in zip(shard.ids, shard.passages, strict=True)}
    seen = []
    for folder in sorted(scored):
        for pairs in open_scored(folder):
            seen.append(pairs.query)
            relevant = {int(name[1:]) for name, grade in QRELS.get(pairs.query, {}).items() if grade > 0}
            assert pairs.passages[: pairs.found].tolist() == students[pairs.query]
            assert set(pairs.passages.tolist()) == set(students[pairs.query]) | relevant
            assert {int(passage) for passage in pairs.passages[pairs.relevant]} == relevant
            texts = [PASSAGES[position].text for position in pairs.passages]
            query = QUERIES[int(pairs.query[1:])].text
            np.testing.assert_allclose(pairs.scores, teacher.score([query] * len(texts), texts), atol=1e-5)
    assert seen == [f"q{number}" for number in range(7)]


def judgements_words(work, shard, output, *more):
    words = ["--mined", work / f"mined-{shard}", "--corpus", work / "corpus", "--queries", work / "queries"]
    return [str(word) for word in ["score", *words, "--teacher", "judgements", *COMPUTE, *more, "--output", output]]


def test_judgements_in_place_of_a_teacher_are_one_for_the_relevant_and_zero_for_the_others(work, tmp_path):
    assert main(judgements_words(work, 0, tmp_path / "scored")) == 0
    found = open_scored(tmp_path / "scored")
    np.testing.assert_array_equal(found.scores, found.pairs.relevant.astype(np.float32))
    assert found.manifest.settings["teacher"] == "judgements"
    assert 0 < found.scores.sum() < len(found.scores)


def test_what_only_a_network_has_is_refused_of_judgements(work, tmp_path, capsys):
    assert main(judgements_words(work, 0, tmp_path / "scored", "--max-length", "32", "--bm25", "1")) == 1
    assert "['bm25', 'max_length'] of the command line mean nothing to judgements; leave them out" in capsys.readouterr().err


def test_a_network_needs_a_length(work, tmp_path, capsys, tiny_cross_encoder):
    words = ["--teacher", "cross-encoder", "--folder", str(tiny_cross_encoder)]
    given = [word for word in score_words(work, 0, tmp_path / "scored", *words) if word not in ("--max-length", "32")]
    assert main(given) == 1
    assert "teacher 'cross-encoder' of the command line needs --max-length" in capsys.readouterr().err


def tuples_words(work, scored, output, **changes):
    given = {
        "corpus": work / "corpus",
        "queries": work / "queries",
        "nway": 3,
        "positive": "labelled",
        "sampling": "uniform",
    }
    given = {**given, "seed": 1, **changes}
    words = [word for name, value in given.items() if value is not None for word in (f"--{name}", str(value))]
    return ["tuples", "--scored", *map(str, scored), *words, "--output", str(output)]


def test_labelled_tuples_come_from_all_shards_in_the_order_of_the_queries(work, scored, tmp_path, capsys):
    assert main(tuples_words(work, scored, tmp_path / "tuples")) == 0
    found = read_tuples(tmp_path / "tuples", queries={text.id for text in QUERIES}, passages={text.id for text in PASSAGES})
    pairs = {one.query: one for folder in scored for one in open_scored(folder)}
    assert found.queries == [f"q{number}" for number in range(6)]
    above = 0
    for query, passages, scores in zip(found.queries, found.passages, found.scores, strict=True):
        relevant = {name for name, grade in QRELS[query].items() if grade > 0}
        own = dict(zip((f"d{position}" for position in pairs[query].passages), pairs[query].scores, strict=True))
        assert passages[0] == max(relevant, key=own.__getitem__)
        assert relevant.isdisjoint(passages[1:])
        np.testing.assert_array_equal(scores, [own[name] for name in passages])
        above += sum(score > scores[0] for score in scores[1:])
    counts = found.manifest.counts
    assert (counts["queries"], counts["nway"], counts["queries_without_positive"]) == (6, 3, 1)
    assert counts["above_positive"] == above
    assert (
        f"the teacher gives more than the positive to {above} of 12 other passages ({above / 12:.1%})"
        in capsys.readouterr().out
    )
    settings = found.manifest.settings
    assert (settings["depth"], settings["teacher"]["teacher"], settings["mining"]["engine"]) == (6, "cross-encoder", "exact")
    assert "shard" not in settings["mining"]


def test_alike_queries_stand_together_with_the_tuples_that_they_have_without(work, scored, tmp_path, capsys):
    asked = {"query-vectors": work / "query-vectors", "group-size": 4}
    assert main(tuples_words(work, scored, tmp_path / "plain")) == 0
    assert main(tuples_words(work, scored, tmp_path / "grouped", **asked)) == 0
    plain, grouped = read_tuples(tmp_path / "plain"), read_tuples(tmp_path / "grouped")
    assert (plain.group_size, grouped.group_size) == (1, 4)
    vectors = open_query_vectors(work / "query-vectors")
    means = dict(zip(vectors.ids, directions(vectors.vectors), strict=True))
    first, *others = grouped.queries
    cosines = {query: float(means[first] @ means[query]) for query in plain.queries if query != first}
    assert [cosines[query] for query in others] == pytest.approx(sorted(cosines.values(), reverse=True)[:3])
    rows = dict(zip(plain.queries, zip(plain.passages, plain.scores.tolist(), strict=True), strict=True))
    found = zip(grouped.queries, grouped.passages, grouped.scores.tolist(), strict=True)
    assert all(rows[query] == (passages, scores) for query, passages, scores in found)
    assert grouped.manifest.counts["queries_ungrouped"] == 2
    assert grouped.manifest.inputs["query_vectors"] == vectors.manifest.digest
    assert "2 in no group of similar ones" in capsys.readouterr().out


def test_groups_larger_than_the_training_set_are_refused(work, scored, tmp_path, capsys):
    assert (
        main(tuples_words(work, scored, tmp_path / "tuples", **{"query-vectors": work / "query-vectors", "group-size": 7}))
        == 1
    )
    assert "--group-size 7 of the command line is more than the 6 queries with a tuple" in capsys.readouterr().err
    assert not (tmp_path / "tuples").exists()


def test_vectors_of_another_model_than_mined_are_refused(work, scored, tmp_path, capsys):
    asked = open_query_vectors(work / "query-vectors")
    write_query_vectors(tmp_path / "other", asked.vectors, asked.ids, inputs={**asked.manifest.inputs, "model": "another"})
    assert (
        main(tuples_words(work, scored, tmp_path / "tuples", **{"query-vectors": tmp_path / "other", "group-size": 2})) == 1
    )
    assert "are not the vectors that" in capsys.readouterr().err


def test_the_teachers_positives_are_its_best_and_every_query_has_one(work, scored, tmp_path):
    assert main(tuples_words(work, scored, tmp_path / "tuples", positive="teacher", nway=6)) == 0
    found = read_tuples(tmp_path / "tuples")
    assert found.scores.shape == (7, 6)
    assert (found.scores.argmax(axis=1) == 0).all()
    assert found.manifest.counts["positives_not_best"] == found.manifest.counts["above_positive"] == 0


def test_the_same_command_gives_the_same_bytes_and_another_seed_other_tuples(work, scored, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert main(tuples_words(work, scored, tmp_path / name, seed=seed)) == 0
    a, b, c = ((tmp_path / name / "tuples.jsonl").read_bytes() for name in "abc")
    assert a == b != c
    assert (tmp_path / "a" / MANIFEST).read_bytes() == (tmp_path / "b" / MANIFEST).read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nway": 7}, "nway 7 does not lie between 2 and the depth 6"),
        ({"depth": 7}, "depth 7 does not lie between 1 and the mined depth 6"),
        ({"depth": 2}, "nway 3 does not lie between 2 and the depth 2"),
        ({"seed": None, "nway": None}, "--scored needs --nway, --seed as well"),
        ({"count": 5}, "--scored does not look at --count"),
        ({"group-size": 2}, "give --group-size and --query-vectors together, or neither"),
        ({"query-vectors": "nowhere"}, "give --group-size and --query-vectors together, or neither"),
        (
            {"group-size": 1, "query-vectors": "nowhere"},
            "group_size: '1': input should be greater than or equal to 2",
        ),
    ],
)
def test_tuples_that_cannot_be_drawn_are_refused_and_leave_nothing(work, scored, tmp_path, capsys, changes, message):
    assert main(tuples_words(work, scored, tmp_path / "tuples", **changes)) in (1, 2)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "tuples").exists()


def test_a_missing_shard_is_refused(work, scored, tmp_path, capsys):
    assert main(tuples_words(work, scored[:1], tmp_path / "tuples")) == 1
    assert "shards [1] were given, 0 to 1 are needed" in capsys.readouterr().err


def test_a_whole_shard_is_left_alone_and_a_damaged_or_other_one_is_scored_anew(work, tiny_cross_encoder, tmp_path, capsys):
    output = tmp_path / "scored"
    words = score_words(work, 0, output, "--teacher", "cross-encoder", "--folder", str(tiny_cross_encoder))

    def outcome(words):
        assert main(words) == 0
        return "nothing to score" in capsys.readouterr().out

    assert [outcome(words), outcome(words)] == [False, True]
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    (output / "scores.npy").write_bytes(b"cut")
    assert [outcome(words), outcome(words)] == [False, True]
    assert {path.name: path.read_bytes() for path in output.iterdir()} == before
    (output / MANIFEST).unlink()
    assert outcome(words) is False
    words[words.index("32")] = "16"
    assert [outcome(words), outcome(words)] == [False, True]


def test_a_bi_encoder_is_labelled_as_one(work, tmp_path):
    words = ["--teacher", "bi-encoder", "--folder", str(work / "pooled")]
    assert main(score_words(work, 0, tmp_path / "scored", *words)) == 0
    found = open_scored(tmp_path / "scored")
    assert found.manifest.settings["teacher"] == "bi-encoder"
    assert np.abs(found.scores).max() <= 1.002


def test_a_teacher_is_fused_with_bm25_over_the_whole_corpus(work, tmp_path):
    words = ["--teacher", "bi-encoder", "--folder", str(work / "pooled")]
    assert main(score_words(work, 0, tmp_path / "alone", *words)) == 0
    assert main(score_words(work, 0, tmp_path / "fused", *words, "--bm25", "0.5")) == 0
    alone, both = open_scored(tmp_path / "alone"), open_scored(tmp_path / "fused")
    engine = BM25([passage.text for passage in PASSAGES])
    for pairs, found in zip(alone, both, strict=True):
        lexical = engine.score([QUERIES[int(pairs.query[1:])].text], [pairs.passages])[0]
        expected = fused(pairs.scores, lexical, np.array([0, len(lexical)]), 0.5)
        np.testing.assert_allclose(found.scores, expected, atol=1e-6)
    assert both.manifest.settings["bm25"] == 0.5


def test_the_table_names_what_a_teacher_is_fused_with(work, tmp_path):
    words = ["--teacher", "bi-encoder", "--folder", str(work / "pooled"), "--bm25"]
    for weight, label in (("1", "bi-encoder + BM25"), ("0.5", "bi-encoder + 0.5 × BM25")):
        folders = [tmp_path / f"{weight}-{shard}" for shard in "01"]
        for shard, folder in enumerate(folders):
            assert main(score_words(work, shard, folder, *words, weight)) == 0
        assert main(tuples_words(work, folders, tmp_path / weight)) == 0
        assert supervision.frame(supervision.read_manifests([tmp_path / weight]))["teacher"].tolist() == [label]


@pytest.mark.parametrize("weight", ["0", "-1", "inf", "nan"])
def test_a_weight_of_bm25_that_is_none_is_refused(work, tmp_path, capsys, weight):
    words = ["--teacher", "bi-encoder", "--folder", str(work / "pooled"), f"--bm25={weight}"]
    assert main(score_words(work, 0, tmp_path / "scored", *words)) == 2
    assert f"bm25: '{weight}': input should be" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (["--teacher", "cross-encoder"], "give either --folder or --name"),
        (["--teacher", "cross-encoder", "--name", "x", "--folder", "x"], "give either --folder or --name"),
        (["--teacher", "cross-encoder", "--folder", "nosuch"], "--folder nosuch is no folder"),
        (
            ["--teacher", "cross-encoder", "--name", "cross-encoder/x", "--revision", "main"],
            "revision: 'main' does not match",
        ),
        (["--teacher", "bi-encoder", "--name", "cross-encoder/x"], "names no bi-encoder of ours"),
        (["--teacher", "cross-encoder", "--folder", "{work}/model"], "is a late-interaction model, no cross-encoder"),
        (["--teacher", "bi-encoder", "--folder", "{work}/model"], "is a late-interaction model, no bi-encoder"),
    ],
)
def test_a_teacher_that_is_none_is_refused_and_leaves_nothing(work, tmp_path, capsys, teacher, message):
    words = [word.format(work=work) for word in teacher]
    assert main(score_words(work, 0, tmp_path / "scored", *words)) in (1, 2)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "scored").exists()


def test_another_corpus_and_a_relevant_passage_that_is_not_there_are_refused(work, tmp_path, capsys, tiny_cross_encoder):
    write_passages(tmp_path / "corpus", PASSAGES[:19])
    teacher = ["--teacher", "cross-encoder", "--folder", str(tiny_cross_encoder)]
    assert main(score_words(work, 0, tmp_path / "scored", *teacher, corpus=tmp_path / "corpus")) == 1
    assert "was mined from other corpus" in capsys.readouterr().err
    write_queries(tmp_path / "queries", QUERIES, {"q1": {"d1": 1, "d77": 1}})
    mine(work, tmp_path)
    changes = {"mined": tmp_path / "mined-0", "queries": tmp_path / "queries"}
    assert main(score_words(work, 0, tmp_path / "scored", *teacher, **changes)) == 1
    assert "passage 'd77', judged relevant to query 'q1', is not in" in capsys.readouterr().err
    assert not (tmp_path / "scored").exists()


def test_triples_train_a_teacher_that_scores(work, tiny_bert, tmp_path, capsys):
    origin = {
        "corpus": open_passages(work / "corpus").manifest.digest,
        "queries": open_queries(work / "queries").manifest.digest,
    }
    write_triples(tmp_path / "triples.jsonl", [Triple(n % 6, n % 6, (n % 6 + 7, 19)) for n in range(12)], origin)
    words = ["train-teacher", "--name", str(tiny_bert), "--corpus", str(work / "corpus"), "--queries", str(work / "queries")]
    words += ["--triples", str(tmp_path / "triples.jsonl"), "--steps", "3", "--batch", "4", "--learning-rate", "1e-3"]
    words += ["--warmup", "1", "--loss", "softmax", "--max-length", "32", "--seed", "3", *COMPUTE]
    assert main([*words, "--log", str(tmp_path / "steps.jsonl"), "--output", str(tmp_path / "teacher")]) == 0
    assert capsys.readouterr().out.startswith("3 steps: loss ")
    assert [json.loads(line)["step"] for line in (tmp_path / "steps.jsonl").read_text().splitlines()] == [1, 2, 3]
    teacher = ["--teacher", "cross-encoder", "--folder", str(tmp_path / "teacher")]
    assert main(score_words(work, 1, tmp_path / "scored", *teacher)) == 0
    digest = CrossEncoderTeacher(tmp_path / "teacher", maxlen=32, precision="float32").digest
    assert open_scored(tmp_path / "scored").manifest.inputs["teacher"] == digest
    manifest = json.loads((tmp_path / "teacher" / MANIFEST).read_text())
    assert (manifest["kind"], manifest["settings"]["loss"], manifest["settings"]["seed"]) == ("cross-encoder", "softmax", 3)
    write_triples(tmp_path / "triples.jsonl", [Triple(0, 0, (1,))] * 12, {"corpus": "other", "queries": "other"})
    assert main([*words, "--log", str(tmp_path / "l"), "--output", str(tmp_path / "t")]) == 1
    assert "was made from another corpus" in capsys.readouterr().err


def file_words(work, output, *source):
    folders = ["--corpus", str(work / "corpus"), "--queries", str(work / "queries")]
    return ["tuples", *source, *folders, "--output", str(output)]


def test_tuples_of_an_official_file(work, tmp_path, capsys):
    path = tmp_path / "examples.json"
    write_text(path, '["q1", ["d1", 2.0], ["d2", 3.5], ["d3", 1.0]]\n["q0", ["d0", 2.0], ["d2", 1.5], ["d3", 2.5]]\n')
    assert main(file_words(work, tmp_path / "tuples", "--from-official", str(path), "--nway", "2")) == 0
    assert (
        "the teacher gives more than the positive to 1 of 2 other passages (50.0%), in 1 tuples" in capsys.readouterr().out
    )
    found = read_tuples(tmp_path / "tuples")
    assert found.passages == [["d1", "d2"], ["d0", "d2"]]
    assert found.scores.tolist() == [[2.0, 3.5], [2.0, 1.5]]
    assert main(file_words(work, tmp_path / "none", "--from-official", str(path), "--nway", "4")) == 1
    assert f"nway 4 asked for, but line 1 of {path} has 3" in capsys.readouterr().err
    write_text(path, '[1, ["d1", 2.0], ["d2", 3.5]]\n')
    assert main(file_words(work, tmp_path / "none", "--from-official", str(path))) == 1
    assert f"query '1' in line 1 of {path} is not in the query folder" in capsys.readouterr().err


def test_tuples_of_docpairs(work, tmp_path, capsys, monkeypatch):
    pairs = [SimpleNamespace(query_id="q1", doc_id_a="d1", doc_id_b=f"d{n}") for n in (3, 4, 5)]
    toy = SimpleNamespace(has_docpairs=lambda: True, docpairs_iter=lambda: iter(pairs))
    monkeypatch.setattr(registry, "load", lambda name: toy)
    source = ["--from-docpairs", "toy/train", "--count"]
    assert main(file_words(work, tmp_path / "tuples", *source, "2")) == 0
    assert read_tuples(tmp_path / "tuples", needs_scores=False).passages == [["d1", "d3"], ["d1", "d4"]]
    assert main(file_words(work, tmp_path / "none", *source, "4")) == 1
    assert "count 4 of the command line: toy/train has 3 pairs" in capsys.readouterr().err
    assert main(file_words(work, tmp_path / "none", *source, "2", "--nway", "3")) == 1
    assert "pairs of toy/train are two-way tuples" in capsys.readouterr().err


def triples_words(work, output, *more):
    return ["triples", "--corpus", str(work / "corpus"), "--queries", str(work / "queries"), *more, "--output", str(output)]


def test_triples_of_docpairs_are_positions_of_their_ids(work, tmp_path, monkeypatch):
    pairs = [SimpleNamespace(query_id=f"q{n}", doc_id_a=f"d{n}", doc_id_b=f"d{n + 1}") for n in (2, 0, 2)]
    toy = SimpleNamespace(has_docpairs=lambda: True, docpairs_iter=lambda: iter(pairs))
    monkeypatch.setattr(registry, "load", lambda name: toy)
    assert main(triples_words(work, tmp_path / "triples", "--docpairs", "toy/train", "--count", "3")) == 0
    found, inputs = read_triples(tmp_path / "triples")
    assert found == [Triple(2, 2, (3,)), Triple(0, 0, (1,)), Triple(2, 2, (3,))]
    assert set(inputs) == {"corpus", "queries"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--docpairs", "toy/train", "--count", "4"], "--count 4 asks for more than the 1 pairs of toy/train"),
        (
            ["--docpairs", "toy/train", "--count", "1", "--seed", "1"],
            "give either --docpairs of the command line, or all of --negatives",
        ),
        (
            ["--count", "1", "--seed", "1"],
            "give either --docpairs of the command line, or all of --negatives",
        ),
    ],
)
def test_docpairs_that_are_too_few_or_beside_other_flags_are_refused(work, tmp_path, monkeypatch, capsys, words, message):
    pair = SimpleNamespace(query_id="q1", doc_id_a="d1", doc_id_b="d2")
    toy = SimpleNamespace(has_docpairs=lambda: True, docpairs_iter=lambda: iter([pair]))
    monkeypatch.setattr(registry, "load", lambda name: toy)
    assert main(triples_words(work, tmp_path / "triples", *words)) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "triples").exists()


def test_a_data_set_without_docpairs_is_refused(work, tmp_path, capsys):
    assert main(file_words(work, tmp_path / "none", "--from-docpairs", "pydocs/tiny", "--count", "2")) == 1
    assert "pydocs/tiny has no docpairs in ir_datasets" in capsys.readouterr().err


def test_the_table_has_a_row_for_every_folder_of_tuples(work, scored, tmp_path, capsys):
    assert main(tuples_words(work, scored, tmp_path / "drawn", nway=2)) == 0
    write_text(
        tmp_path / "examples.json",
        '["q1", ["d1", 2.0], ["d2", 3.5], ["d3", 3.0]]\n["q0", ["d0", 2.0], ["d2", 1], ["d3", 0]]\n',
    )
    assert main(file_words(work, tmp_path / "given", "--from-official", str(tmp_path / "examples.json"))) == 0
    folders = [str(tmp_path / name) for name in ("drawn", "given")]
    assert main(["supervision-report", "--tuples", *folders, "--output", str(tmp_path / "report")]) == 0
    rows = pd.read_csv(tmp_path / "report" / "supervision.csv").set_index("tuples")
    drawn, given = rows.loc["drawn"], rows.loc["given"]
    assert (drawn["teacher"], drawn["positive"], drawn["queries"], drawn["depth"]) == ("cross-encoder", "labelled", 6, 6)
    counts = read_tuples(tmp_path / "drawn").manifest.counts
    assert drawn["not_best"] == pytest.approx(counts["positives_not_best"] / 6)
    assert drawn["false_positives_excluded"] == counts["false_positives_excluded"]
    assert (given["source"], given["nway"], given["above_positive"], given["not_best"]) == ("official", 3, 0.5, 0.5)
    assert pd.isna(given["depth"])
    shown = (tmp_path / "report" / "supervision.md").read_text()
    assert "| given" in shown
    assert "50.0" in shown
    assert main(["supervision-report", "--tuples", *folders, folders[0], "--output", str(tmp_path / "twice")]) == 1
    assert "two of the folders of tuples are called 'drawn'" in capsys.readouterr().err
