"""Training of a cross-encoder, and its folder."""

import math

import pytest
import torch
from pydantic import ValidationError

from bench.config.training import TeacherSettings
from bench.errors import DamagedFileError, SettingsError
from bench.files.opening import open_folder
from bench.training import cross_encoder
from bench.training.cross_encoder import from_base, group_loss, save, train_teacher
from bench.training.errors import TrainingError
from bench.training.teachers import CrossEncoderTeacher
from bench.training.triples import Triple

PASSAGES = ["the cat had an apple", "moon light over the mountain", "a horse eats paper", "father made a book", "cold air"]
QUERIES = ["cat food", "light of the moon", "what can a horse eat", "who made the book"]
TRIPLES = [Triple(number, number, ((number + 1) % 4, 4)) for number in range(4)]


def settings_for(**changes):
    given = {"steps": 3, "batch": 4, "learning_rate": 1e-3, "warmup": 1, "loss": "softmax"}
    return TeacherSettings(**{**given, "max_length": 24, "precision": "float32", "seed": 0, **changes})


def run(model, tokenizer, triples=TRIPLES, **changes):
    steps, settings = [], settings_for(**changes)
    passages = dict(enumerate(PASSAGES))
    train_teacher(model, tokenizer, triples * settings.steps, QUERIES, passages, settings, report=steps.append)
    return steps


@pytest.fixture
def start(tiny_bert):
    """A maker of fresh models with the head of one seed."""

    def make(seed=5):
        torch.manual_seed(seed)
        return from_base(tiny_bert)

    return make


def test_losses_of_two_triples_by_hand():
    logits = torch.tensor([[2.0, 1.0, 0.0], [-1.0, 1.0, 0.5]], dtype=torch.float64)
    softmax = sum(
        -first + math.log(sum(math.exp(value) for value in row))
        for row, first in zip(logits.tolist(), (2.0, -1.0), strict=True)
    )
    assert float(group_loss(logits, "softmax")) == pytest.approx(softmax / 2)
    signs = [[1, -1, -1], [1, -1, -1]]
    pairs = [
        math.log(1 + math.exp(-sign * value))
        for row, own in zip(logits.tolist(), signs, strict=True)
        for value, sign in zip(row, own, strict=True)
    ]
    assert float(group_loss(logits, "binary")) == pytest.approx(sum(pairs) / 6)


@pytest.mark.parametrize("loss", ["binary", "softmax"])
def test_the_loss_falls_until_every_relevant_passage_comes_first(start, loss):
    steps = run(*start(), steps=30, learning_rate=5e-3, loss=loss)
    assert steps[-1].loss < 0.2 * steps[0].loss
    assert steps[-1].accuracy == 1.0
    assert [step.step for step in steps] == list(range(1, 31))


def test_training_twice_with_one_seed_gives_identical_weights_and_another_seed_others(start):
    found = []
    for seed in (5, 5, 6):
        model, tokenizer = start(seed)
        run(model, tokenizer)
        found.append(model.state_dict())
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])
    assert not torch.equal(found[0]["classifier.weight"], found[2]["classifier.weight"])


def test_training_changes_the_network_as_well_as_its_head(start):
    model, tokenizer = start()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    run(model, tokenizer)
    changed = {name for name, tensor in model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert {"classifier.weight", "bert.pooler.dense.weight", "bert.encoder.layer.0.attention.self.query.weight"} <= changed


def test_texts_are_tokenized_once_before_the_first_step(start, monkeypatch):
    model, tokenizer = start()
    calls = []

    def watched(*arguments):
        calls.append(len(arguments[1]))
        return tokenize(*arguments)

    tokenize = cross_encoder.tokenize_pairs
    monkeypatch.setattr(cross_encoder, "tokenize_pairs", watched)
    run(model, tokenizer, steps=3)
    assert calls == [12]


def test_the_learning_rate_rises_over_the_warmup_and_falls_to_its_last_share(start):
    rates = [step.learning_rate for step in run(*start(), steps=6, warmup=2)]
    assert rates == pytest.approx([0.5e-3, 1e-3, 1e-3, 0.75e-3, 0.5e-3, 0.25e-3])


def test_a_loss_that_is_no_number_stops_with_step_and_queries(start):
    model, tokenizer = start()
    model.classifier.weight.data.fill_(torch.nan)
    with pytest.raises(TrainingError, match=r"loss is nan at step 1 with queries \[2, 1\]"):
        run(model, tokenizer, [TRIPLES[2], TRIPLES[1]], batch=2)


@pytest.mark.parametrize(
    ("triples", "changes", "message"),
    [
        (TRIPLES, {"loss": "hinge"}, "loss\n.*'hinge'"),
        (TRIPLES, {"steps": 0}, "steps\n.*greater than or equal to 1"),
        (TRIPLES, {"batch": 5}, "3 steps of 5 need more than the 12 triples"),
        (TRIPLES, {"max_length": 129}, "length of 129 tokens"),
        ([Triple(0, 0, ())] * 4, {}, "triples without negatives"),
    ],
)
def test_what_cannot_be_trained_is_refused(start, triples, changes, message):
    with pytest.raises((SettingsError, ValidationError), match=message):
        run(*start(), triples, **changes)


def test_the_folder_scores_as_the_trained_model_did(start, tmp_path):
    model, tokenizer = start()
    run(model, tokenizer, steps=5)
    manifest = save(model, tokenizer, tmp_path / "teacher", settings={"seed": 5})
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(manifest.files)
    assert open_folder(tmp_path / "teacher", "cross-encoder", 1, "train-teacher") == manifest
    teacher = CrossEncoderTeacher(tmp_path / "teacher", maxlen=24, precision="float32")
    assert teacher.digest == manifest.digest
    tokens = tokenizer(QUERIES, PASSAGES[:4], padding=True, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**tokens).logits[:, 0]
    torch.testing.assert_close(torch.from_numpy(teacher.score(QUERIES, PASSAGES[:4])), logits, atol=1e-5, rtol=0)


def test_a_changed_teacher_is_refused(start, tmp_path):
    save(*start(), tmp_path / "teacher")
    (tmp_path / "teacher" / "config.json").write_text("{}")
    with pytest.raises(DamagedFileError, match="manifest says"):
        CrossEncoderTeacher(tmp_path / "teacher", maxlen=24, precision="float32")


def test_a_base_without_its_network_is_refused(tiny_bert, tmp_path):
    import shutil

    import safetensors.torch

    shutil.copytree(tiny_bert, tmp_path / "base")
    path = tmp_path / "base" / "model.safetensors"
    tensors = {name: tensor for name, tensor in safetensors.torch.load_file(path).items() if "layer.1." not in name}
    safetensors.torch.save_file(tensors, path, {"format": "pt"})
    with pytest.raises(DamagedFileError, match=r"lacks bert\.encoder\.layer\.1\..* and 15 more weights"):
        from_base(tmp_path / "base")
