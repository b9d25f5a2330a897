"""The loop: accumulated gradients, resuming, keeping the best, and what stops it."""

import dataclasses
import itertools
import re

import numpy as np
import pytest
import torch

from bench.config.training import LoopSettings
from bench.errors import SettingsError
from bench.training.checkpoints import Checkpoints
from bench.training.distillation import prepare
from bench.training.errors import TrainingError
from bench.training.example_order import shuffled
from bench.training.log import steps_of
from bench.training.loop import Loop
from bench.training.objective import Losses, Validation
from bench.training.tuples import read_tuples
from tests.training.test_distillation import settings_for


class Line:
    """A made-up objective over the projection: its loss for example i is the mean of weights times i + 1, times noise."""

    parts = ("line",)

    def __init__(self, noise=0.0, fail_at=None, error=None):
        self.noise, self.fail_at, self.error, self.calls = noise, fail_at, error, 0

    def names(self, positions):
        return [f"q{position}" for position in positions]

    def losses(self, encoder, positions, precision, device):
        self.calls += 1
        if self.calls == self.fail_at and self.error is not None:
            self.error()
        scale = float("nan") if self.calls == self.fail_at else 1.0
        noise = 1 + self.noise * torch.rand(())
        loss = encoder.linear.weight.mean() * float(np.mean(positions + 1)) * noise * scale
        return Losses(loss, {"line": loss}, torch.tensor(len(positions)), 10 * len(positions))


def loop_of(encoder, objective, **changes):
    given = {"steps": 6, "batch": 4, "learning_rate": 1e-2, "warmup": 0, "precision": "float32"}
    given |= {"temperature": 1.0, "query_maxlen": 12, "doc_maxlen": 16, "seed": 1} | changes
    return Loop(encoder, objective, shuffled(9, given["batch"], 1), LoopSettings(**given))


def weights(encoder):
    return {name: tensor.detach().clone() for name, tensor in encoder.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], tensor) for name, tensor in other.items())


def gradients_of(training_set, encoder, micro, weight=0.0):
    texts = {query.id: query.text for query in training_set.queries}
    settings = settings_for(batch=5, in_batch_weight=weight, micro_batch=micro)
    objective = prepare(encoder, read_tuples(training_set.folder / "tuples"), texts, training_set.passages, settings)
    loop = Loop(encoder, objective, shuffled(10, 5, 0), settings)
    sums = loop.gradients(np.array([3, 9, 0, 4, 7]))
    return sums, {name: parameter.grad.clone() for name, parameter in loop.named.items()}


@pytest.mark.parametrize("micro", [1, 2, 3, 4])
def test_gradients_of_micro_batches_are_those_of_the_whole_batch(training_set, tiny_encoder, micro):
    expected, whole = gradients_of(training_set, tiny_encoder(), None)
    sums, parts = gradients_of(training_set, tiny_encoder(), micro)
    assert parts.keys() == whole.keys()
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient, rtol=1e-4, atol=1e-6)
    assert max(gradient.abs().max() for gradient in whole.values()) > 1e-3
    assert sums.loss == pytest.approx(expected.loss, rel=1e-5)
    assert (sums.accuracy, sums.tokens) == (expected.accuracy, expected.tokens)


def test_in_batch_negatives_are_those_of_the_micro_batch(training_set, tiny_encoder):
    whole, _ = gradients_of(training_set, tiny_encoder(), None, weight=1.0)
    split, _ = gradients_of(training_set, tiny_encoder(), 2, weight=1.0)
    assert split.parts["kl"] == pytest.approx(whole.parts["kl"], rel=1e-5)
    assert split.parts["in_batch"] < 0.9 * whole.parts["in_batch"]


@pytest.mark.parametrize("stop", [2, 3, 5])
def test_a_run_that_goes_on_from_a_checkpoint_ends_with_the_same_bits(tiny_encoder, tmp_path, stop):
    whole, killed, resumed = tiny_encoder(), tiny_encoder(), tiny_encoder()
    torch.manual_seed(1)
    loop_of(whole, Line(noise=1.0)).run(log=tmp_path / "whole.jsonl")
    torch.manual_seed(1)
    checkpoints = Checkpoints(tmp_path / "w", 2, {}, {})
    failing = Line(noise=1.0, fail_at=stop + 1)
    with pytest.raises(TrainingError, match=rf"loss is nan at step {stop + 1} with queries"):
        loop_of(killed, failing).run(log=tmp_path / "log.jsonl", checkpoints=checkpoints)
    torch.manual_seed(77)
    outcome = loop_of(resumed, Line(noise=1.0)).run(log=tmp_path / "log.jsonl", checkpoints=checkpoints)
    assert outcome.resumed_from == stop // 2 * 2
    assert same(weights(resumed), weights(whole))
    logs = [steps_of((tmp_path / name).read_text()) for name in ("log.jsonl", "whole.jsonl")]
    facts = [[(step.step, step.loss, step.learning_rate) for step in log] for log in logs]
    assert facts[0] == facts[1]
    assert [step for step, _, _ in facts[0]] == [1, 2, 3, 4, 5, 6]


def test_the_best_validation_is_kept_even_over_a_resumption(tiny_encoder, tmp_path):
    values = iter([0.2, 0.7, 0.7, 0.1])
    seen = []

    def value(encoder):
        seen.append(weights(encoder))
        return next(values)

    encoder, validation = tiny_encoder(), Validation(2, "RR@10", value)
    failing = Line(fail_at=6)
    with pytest.raises(TrainingError):
        loop_of(encoder, failing, steps=7).run(checkpoints=Checkpoints(tmp_path, 4, {}, {}), validation=validation)
    encoder = tiny_encoder()
    outcome = loop_of(encoder, Line(), steps=7).run(checkpoints=Checkpoints(tmp_path, 4, {}, {}), validation=validation)
    assert (outcome.kept, outcome.resumed_from) == (4, 4)
    assert same(weights(encoder), seen[1])
    assert not same(weights(encoder), seen[-1])
    validated = {step.step: dict(step.validation) for step in outcome.steps if step.validation}
    assert validated == {2: {"RR@10": 0.2}, 4: {"RR@10": 0.7}, 6: {"RR@10": 0.7}, 7: {"RR@10": 0.1}}


def test_without_validation_the_last_weights_are_kept(tiny_encoder):
    assert loop_of(tiny_encoder(), Line()).run().kept == 6


def test_throughput_is_queries_and_tokens_over_the_seconds_of_a_step(tiny_encoder):
    ticks = itertools.count(0.0, 0.5)
    steps = loop_of(tiny_encoder(), Line()).run(clock=lambda: next(ticks)).steps
    assert {(step.queries_per_s, step.tokens_per_s) for step in steps} == {(8.0, 80.0)}


def test_a_loss_that_is_no_number_names_the_queries_of_its_batch(tiny_encoder):
    with pytest.raises(TrainingError) as refusal:
        loop_of(tiny_encoder(), Line(fail_at=3)).run()
    wanted = [f"q{position}" for position in shuffled(9, 4, 1)(2)]
    assert str(refusal.value) == f"loss is nan at step 3 with queries {wanted}; lower learning_rate"


def test_a_gradient_that_is_no_number_stops_before_it_spoils_the_weights(tiny_encoder):
    class Steep(Line):
        def losses(self, encoder, positions, precision, device):
            found = super().losses(encoder, positions, precision, device)
            return dataclasses.replace(found, loss=found.loss * 0 + torch.sqrt(encoder.linear.weight.sum() * 0))

    encoder = tiny_encoder()
    before = weights(encoder)
    with pytest.raises(TrainingError, match="norm of the gradient is nan at step 1 with queries"):
        loop_of(encoder, Steep()).run()
    assert same(weights(encoder), before)


def exhaust():
    torch.empty(2**52)


def on_a_gpu():
    raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nGPU 0 has")


@pytest.mark.parametrize("error", [exhaust, on_a_gpu])
@pytest.mark.parametrize(("micro", "advice"), [(None, "micro_batch 4: lower micro_batch"), (1, "micro_batch 1: lower nway")])
def test_lack_of_memory_names_the_setting_to_lower(tiny_encoder, error, micro, advice):
    objective = Line(fail_at=2, error=error)
    with pytest.raises(TrainingError, match=rf"out of memory on cpu at step [12] with {re.escape(advice)}"):
        loop_of(tiny_encoder(), objective, micro_batch=micro).run()


def test_any_other_error_of_a_step_stays_what_it_is(tiny_encoder):
    def wrong():
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match=r"^shapes do not fit$"):
        loop_of(tiny_encoder(), Line(fail_at=1, error=wrong)).run()


def test_validation_every_zero_steps_is_refused():
    with pytest.raises(SettingsError, match="validate_every 0"):
        Validation(0, "RR@10", lambda encoder: 0.0)


def test_losses_that_are_fetched_later_are_the_same_and_are_checked_before_a_checkpoint(tiny_encoder, tmp_path):
    each, later = tiny_encoder(), tiny_encoder()
    expected = loop_of(each, Line()).run().steps
    loop = loop_of(later, Line())
    loop.fetched = 4
    found = loop.run().steps
    assert [(step.step, step.loss, step.learning_rate, step.accuracy) for step in found] == [
        (step.step, step.loss, step.learning_rate, step.accuracy) for step in expected
    ]
    assert same(weights(later), weights(each))
    broken = loop_of(tiny_encoder(), Line(fail_at=2))
    broken.fetched = 50
    with pytest.raises(TrainingError, match=r"loss is nan at step 2 with queries"):
        broken.run(checkpoints=Checkpoints(tmp_path, 3, {}, {}))
    assert Checkpoints(tmp_path, 3, {}, {}).latest() is None
