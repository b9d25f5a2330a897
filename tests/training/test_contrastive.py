"""The training loop on a tiny network."""

import numpy as np
import pytest
import torch

from bench.config.training import TrainSettings
from bench.training.contrastive import train
from bench.training.errors import TrainingError
from bench.training.triples import Triple

PASSAGES = [
    "the cat had an apple",
    "moon light over the mountain",
    "a horse eats paper in the house",
    "father made a book, a big one",
    "",
    "cold air and hot earth",
]
QUERIES = ["cat food", "light of the moon", "what can a horse eat", "who made the book"]
TRIPLES = [Triple(number, number, (4 + number % 2,)) for number in range(4)]


def settings_for(**changes):
    given = {"steps": 3, "batch": 4, "learning_rate": 1e-3, "warmup": 1, "temperature": 0.5}
    given |= {"query_maxlen": 12, "doc_maxlen": 16, "precision": "float32", "seed": 0}
    return TrainSettings(**{**given, **changes})


def run(encoder, triples=TRIPLES, **changes):
    steps = []
    settings = settings_for(**changes)
    train(encoder, triples * settings.steps, QUERIES, dict(enumerate(PASSAGES)), settings, report=steps.append)
    return steps


def weights(encoder):
    return {name: tensor.clone() for name, tensor in encoder.state_dict().items()}


def test_training_twice_with_one_seed_gives_identical_weights(tiny_encoder):
    found = []
    for _ in range(2):
        torch.manual_seed(5)
        encoder = tiny_encoder()
        run(encoder)
        found.append(weights(encoder))
    assert found[0].keys() == found[1].keys()
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_training_changes_the_network_and_the_projection(tiny_encoder):
    encoder = tiny_encoder()
    before = weights(encoder)
    run(encoder)
    changed = {name for name, tensor in weights(encoder).items() if not torch.equal(tensor, before[name])}
    assert {"linear.weight", "bert.encoder.layer.0.attention.self.query.weight"} <= changed


@pytest.mark.parametrize("inputs", [{}, {"query_marker": None, "doc_marker": None, "pad_queries": False}])
def test_the_loss_falls_on_four_queries_until_all_are_right(tiny_encoder, inputs):
    steps = run(tiny_encoder(**inputs), steps=25, learning_rate=5e-3)
    assert steps[-1].loss < 0.2 * steps[0].loss
    assert steps[-1].accuracy == 1.0
    assert [step.step for step in steps] == list(range(1, 26))


def test_training_without_hard_negatives_uses_the_other_positives(tiny_encoder):
    steps = run(tiny_encoder(), [Triple(number, number, ()) for number in range(4)], steps=25, learning_rate=5e-3)
    assert steps[-1].loss < 0.2 * steps[0].loss


def test_training_in_bfloat16_keeps_float32_weights_and_learns(tiny_encoder):
    encoder = tiny_encoder()
    steps = run(encoder, steps=10, learning_rate=5e-3, precision="bfloat16")
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}
    assert steps[-1].loss < 0.5 * steps[0].loss


def test_training_with_merged_vectors_takes_other_steps_and_learns(tiny_encoder):
    losses = {}
    for pool in (1, 2, 3):
        torch.manual_seed(5)
        steps = run(tiny_encoder(), steps=25, learning_rate=5e-3, pool=pool)
        assert steps[-1].loss < 0.4 * steps[0].loss
        losses[pool] = steps[0].loss
    assert len(set(losses.values())) == 3


def test_a_trained_encoder_is_left_in_evaluation_mode(tiny_encoder):
    encoder = tiny_encoder()
    run(encoder, steps=1)
    assert not encoder.training


@pytest.mark.parametrize("pool", [1, 2])
def test_a_loss_that_is_no_number_stops_with_step_and_queries(tiny_encoder, pool):
    encoder = tiny_encoder()
    encoder.linear.weight.data.fill_(np.nan)
    triples = [Triple(2, 2, (5,)), Triple(1, 1, (4,))]
    with pytest.raises(TrainingError, match=r"loss is nan at step 1 with queries \[2, 1\]"):
        run(encoder, triples, batch=2, pool=pool)


def test_the_step_of_a_loss_that_is_no_number_is_the_one_that_failed(tiny_encoder):
    encoder = tiny_encoder()

    def break_after(step):
        if step.step == 2:
            encoder.linear.weight.data.fill_(np.nan)

    with pytest.raises(TrainingError, match="at step 3 with"):
        train(encoder, TRIPLES * 3, QUERIES, dict(enumerate(PASSAGES)), settings_for(), report=break_after)


def rates(encoder, **changes):
    return [step.learning_rate for step in run(encoder, [TRIPLES[0]], batch=1, learning_rate=1e-3, **changes)]


def test_the_learning_rate_rises_over_the_warmup_and_falls_to_its_last_share(tiny_encoder):
    found = rates(tiny_encoder(), steps=6, warmup=2)
    assert found == pytest.approx([0.5e-3, 1e-3, 1e-3, 0.75e-3, 0.5e-3, 0.25e-3])


def test_the_learning_rate_starts_at_its_peak_without_warmup(tiny_encoder):
    assert rates(tiny_encoder(), steps=4, warmup=0) == pytest.approx([1e-3, 0.75e-3, 0.5e-3, 0.25e-3])


def test_a_warmup_longer_than_the_training_never_reaches_the_peak(tiny_encoder):
    assert rates(tiny_encoder(), steps=2, warmup=4) == pytest.approx([0.25e-3, 0.5e-3])
