"""The verb ``distill`` and its objective on a tiny network."""

import itertools
import json

import numpy as np
import pytest
from pydantic import ValidationError

from bench.cli import main
from bench.config.training import DistillSettings
from bench.corpus.texts import Text
from bench.encoder import checkpoint
from bench.encoder.encode import encode_passages, encode_queries
from bench.encoder.model import mean_pooling
from bench.encoder.pooling import pooled
from bench.errors import DataError, SettingsError
from bench.training.distillation import Distillation, distill, prepare
from bench.training.processes import Processes
from bench.training.tuples import read_tuples
from tests.fixtures_training import write_lines


def settings_for(**changes):
    given = {"steps": 3, "batch": 4, "learning_rate": 1e-3, "warmup": 1, "precision": "float32", "temperature": 1.0}
    given |= {"teacher_temperature": 1.0, "in_batch_weight": 0.0, "query_maxlen": 12, "doc_maxlen": 16, "seed": 0}
    return DistillSettings(**{**given, **changes})


def objective_of(training_set, encoder, lines=None, folder=None, **changes) -> Distillation:
    if lines is not None:
        write_lines(folder, lines)
    tuples = read_tuples(folder or training_set.folder / "tuples")
    texts = {query.id: query.text for query in training_set.queries}
    return prepare(encoder, tuples, texts, training_set.passages, settings_for(**changes))


@pytest.mark.parametrize("pool", [1, 2])
def test_the_loss_is_the_divergence_of_scores_that_the_encoder_gives_outside_of_training(training_set, tiny_encoder, pool):
    encoder = tiny_encoder()
    objective = objective_of(training_set, encoder, temperature=2.0, teacher_temperature=0.5, pool=pool)
    chosen = np.array([7, 2])
    found = objective.losses(encoder, chosen, "float32", "cpu")
    expected = []
    names = [name for number in chosen for name, _ in training_set.lines[number][1:]]
    texts = [training_set.passages[int(name[1:])].text for name in names]
    stored = pooled(*encode_passages(encoder, texts, maxlen=16), pool)  # the passages of a batch are merged together
    rows = iter(np.split(stored.vectors.astype(np.float64), np.cumsum(stored.doclens)[:-1]))
    for number in chosen:
        query, *row = training_set.lines[number]
        asked = encode_queries(encoder, [training_set.queries[int(query[1:])].text], maxlen=12)[0]
        parts = list(itertools.islice(rows, len(row)))
        student = np.array([(asked @ part.T).max(axis=1).sum() for part in parts]) / 2
        teacher = np.array([score for _, score in row]) / 0.5
        student, teacher = (x - np.log(np.exp(x).sum()) for x in (student, teacher))
        expected.append(np.sum(np.exp(teacher) * (teacher - student)))
    assert found.loss.item() == pytest.approx(np.mean(expected), rel=5e-3)  # vectors outside are float16
    assert found.parts.keys() == {"kl"}


def test_the_parts_of_the_loss_add_up_with_their_weight(training_set, tiny_encoder):
    encoder = tiny_encoder()
    objective = objective_of(training_set, encoder, in_batch_weight=0.25)
    found = objective.losses(encoder, np.arange(4), "float32", "cpu")
    assert found.loss.item() == pytest.approx(found.parts["kl"].item() + 0.25 * found.parts["in_batch"].item())
    alone = objective_of(training_set, encoder).losses(encoder, np.arange(4), "float32", "cpu")
    assert alone.loss.item() == pytest.approx(found.parts["kl"].item(), rel=1e-5)


def test_distillation_brings_the_scores_near_to_the_teachers(training_set, tiny_encoder):
    encoder = tiny_encoder()
    objective = objective_of(training_set, encoder, steps=40, batch=5, learning_rate=3e-3, temperature=0.3)
    steps = distill(encoder, objective).steps
    assert steps[-1].loss < 0.5 * steps[0].loss
    assert steps[-1].accuracy == 1.0
    assert not encoder.training


def test_tokens_and_queries_per_second_are_measured(training_set, tiny_encoder):
    encoder = tiny_encoder()
    objective = objective_of(training_set, encoder)
    tokens = objective.losses(encoder, np.arange(4), "float32", "cpu").tokens
    words = sum(
        len(training_set.passages[int(p[1:])].text.split()) + 3 for line in training_set.lines[:4] for p, _ in line[1:]
    )
    asked = 4 * 12  # queries are filled with [MASK], which the network reads as well
    assert tokens == words + asked


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_tuples_without_a_teachers_score_are_refused(training_set, tiny_encoder, score):
    objective = objective_of(training_set, tiny_encoder())
    objective.tuples.scores[3, 2] = score
    texts = {query.id: query.text for query in training_set.queries}
    passage = training_set.lines[3][3][0]
    with pytest.raises(DataError, match=rf"query 'q3' has the score {score} for passage '{passage}'"):
        prepare(tiny_encoder(), objective.tuples, texts, training_set.passages, settings_for())


def test_a_passage_that_the_corpus_lacks_is_refused_by_name(training_set, tiny_encoder, tmp_path):
    lines = [["q0", ["p0", 1.0], ["nowhere", 0.5]]]
    with pytest.raises(DataError, match=r"passage 'nowhere' of the tuples is not in the corpus \(1 are not\)"):
        objective_of(training_set, tiny_encoder(), lines, tmp_path / "t")


def test_a_query_that_the_queries_lack_is_refused_by_name(training_set, tiny_encoder, tmp_path):
    lines = [["stranger", ["p0", 1.0], ["p1", 0.5]]]
    with pytest.raises(DataError, match="query 'stranger' of the tuples is not among the queries"):
        objective_of(training_set, tiny_encoder(), lines, tmp_path / "t")


def test_only_named_passages_are_tokenized(training_set, tiny_encoder, tmp_path):
    lines = [["q0", ["p9", 1.0], ["p1", 0.5]], ["q1", ["p1", 1.0], ["p4", 0.5]]]
    objective = objective_of(training_set, tiny_encoder(), lines, tmp_path / "t")
    assert len(objective.texts.passages) == 3
    assert objective.rows.tolist() == [[2, 0], [0, 1]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teacher_temperature": 0.0}, "teacher_temperature"),
        ({"temperature": -1.0}, "temperature"),
        ({"in_batch_weight": -0.1}, "in_batch_weight"),
        ({"in_batch_weight": float("nan")}, "in_batch_weight"),
        ({"in_batch_weight": 1.0, "micro_batch": 1}, "no other queries to compare with"),
        ({"micro_batch": 5}, "micro_batch 5 is not from 1 to the batch of 4"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"steps": 0}, "steps"),
        ({"precision": "float16"}, "precision"),
    ],
)
def test_settings_that_no_training_can_have_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        settings_for(**changes)


@pytest.mark.parametrize(
    ("batch", "micro", "devices", "lone"),
    [(4, None, 1, False), (4, None, 2, False), (5, 2, 1, True), (5, 3, 1, False), (5, None, 4, True), (9, 2, 4, True)],
)
def test_a_split_that_leaves_a_query_without_others_is_refused(training_set, tiny_encoder, batch, micro, devices, lone):
    encoder = tiny_encoder()
    changes = {"batch": batch, "micro_batch": micro, "steps": 1}
    objective = objective_of(training_set, encoder, in_batch_weight=1.0, **changes)
    processes = Processes(rank=0, count=devices)
    if lone:
        with pytest.raises(SettingsError, match=rf"batch {batch} on {devices} devices with micro_batch \d leaves a query"):
            distill(encoder, objective, processes=processes)
        distill(encoder, objective_of(training_set, encoder, **changes), processes=processes)
    else:
        assert distill(encoder, objective, processes=processes).kept == 1


@pytest.mark.parametrize("micro", [None, 2])
def test_alike_queries_are_in_one_micro_batch(training_set, tiny_encoder, tmp_path, monkeypatch, micro):
    write_lines(tmp_path / "tuples", training_set.lines, group_size=2)
    objective = objective_of(training_set, tiny_encoder(), folder=tmp_path / "tuples", micro_batch=micro, steps=5)
    seen, whole = [], objective.losses
    monkeypatch.setattr(objective, "losses", lambda encoder, some, *how: seen.append(some) or whole(encoder, some, *how))
    distill(tiny_encoder(), objective)
    assert {len(some) for some in seen} == {micro or 4}
    for some in seen:
        pairs = some.reshape(-1, 2)
        assert (pairs[:, 0] % 2 == 0).all()
        assert (pairs[:, 1] == pairs[:, 0] + 1).all()
    assert len({int(position) for some in seen[: 8 // len(seen[0])] for position in some}) == 8


@pytest.mark.parametrize(("batch", "micro", "devices", "part"), [(5, None, 1, 5), (4, 3, 1, 3), (6, None, 2, 3)])
def test_a_split_that_parts_alike_queries_is_refused(training_set, tiny_encoder, tmp_path, batch, micro, devices, part):
    write_lines(tmp_path / "tuples", training_set.lines, group_size=2)
    objective = objective_of(training_set, tiny_encoder(), folder=tmp_path / "tuples", batch=batch, micro_batch=micro)
    with pytest.raises(SettingsError, match=f"has parts of {part} queries; the tuples stand in groups of 2 similar queries"):
        distill(tiny_encoder(), objective, processes=Processes(rank=0, count=devices))


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


VALIDATED = {"validation_passages": 20, "validate_every": 3}


def test_the_verb_writes_a_model_and_a_line_per_step_and_keeps_the_best(flags, training_set, tmp_path, capsys):
    queries = training_set.folder / "queries"
    words = flags("distill", tmp_path, work=tmp_path / "w", checkpoint_every=4, validation_queries=queries, **VALIDATED)
    assert main(words) == 0
    log = lines_of(tmp_path / "steps.jsonl")
    assert [line["step"] for line in log] == list(range(1, 9))
    assert log[0]["parts"].keys() == {"kl", "in_batch"}
    assert all(line["queries_per_s"] > 0 and line["tokens_per_s"] > line["queries_per_s"] for line in log)
    validated = {line["step"]: line["validation"]["RR@10"] for line in log if line["validation"]}
    assert list(validated) == [3, 6, 8]
    encoder, manifest = checkpoint.load(tmp_path / "model")
    kept = max(validated, key=validated.get)
    assert (manifest.counts, encoder.dim) == ({"steps": 8, "kept": kept}, 16)
    assert manifest.settings["in_batch_weight"] == 0.5
    assert manifest.inputs["corpus"] == training_set.origin["corpus"]
    assert not (tmp_path / "w").exists()
    assert f"kept step {kept} with RR@10" in capsys.readouterr().out


def test_the_verb_train_validates_and_resumes_through_the_same_loop(flags, training_set, tmp_path):
    queries = training_set.folder / "queries"
    words = flags("train", tmp_path, work=tmp_path / "w", checkpoint_every=4, validation_queries=queries, **VALIDATED)
    assert main(words) == 0
    log = lines_of(tmp_path / "steps.jsonl")
    assert [line["step"] for line in log if line["validation"]] == [3, 6, 8]
    assert checkpoint.load(tmp_path / "model")[1].counts["steps"] == 8


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"work": "w"}, "--work, --checkpoint-every of the command line go together"),
        ({"validate_every": 2}, "--validation-queries, --validation-passages, --validate-every go together"),
        ({"dim": 128}, "has vectors of dim 16, --dim of the command line is 128"),
        ({"doc_maxlen": 300}, "doc_maxlen 300 of the command line"),
        ({"batch": 11}, "a batch of 11 queries is more than the 10 of the training set"),
        ({"learning_rate": "nan"}, "learning_rate: 'nan'"),
    ],
)
def test_what_cannot_be_is_refused_before_the_first_step(flags, tmp_path, capsys, changes, message):
    assert main(flags("distill", tmp_path, **changes)) in (1, 2)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "steps.jsonl").exists()


def test_a_start_of_another_kind_is_refused(flags, tmp_path, tiny_encoder, capsys):
    late = tiny_encoder()
    checkpoint.save(mean_pooling(late.bert, late.inputs.tokenizer), tmp_path / "pooled")
    assert main(flags("distill", tmp_path, start=tmp_path / "pooled")) == 1
    assert "is a model of kind 'mean'; only late interaction is trained here" in capsys.readouterr().err


def test_tuples_of_another_corpus_are_refused(flags, training_set, tmp_path, capsys):
    write_lines(tmp_path / "t", training_set.lines, {"corpus": "0" * 64})
    assert main(flags("distill", tmp_path, tuples=tmp_path / "t")) == 1
    assert "was made from another corpus folder" in capsys.readouterr().err


def test_an_empty_passage_can_be_trained_on(training_set, tiny_encoder, tmp_path):
    write_lines(tmp_path / "t", [["q0", ["p0", 1.0], ["void", 0.0]]])
    passages = [*training_set.passages, Text("void", "")]
    settings = settings_for(batch=1, steps=2)
    encoder = tiny_encoder()
    objective = prepare(encoder, read_tuples(tmp_path / "t"), {"q0": "a cat"}, passages, settings)
    assert np.isfinite(distill(encoder, objective).steps[-1].loss)
