"""The training loop: AdamW, linear warm-up and decay, clipped gradients, micro-batches, many devices, checkpoints.

Weights stay float32; matrix products may run under bfloat16 autocast. Dropout is disabled, so that the order of operations
is the only source of rounding differences. On a CPU, a run that resumes from its last checkpoint ends with the same bytes
as an uninterrupted run.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from bench.encoder.model import LateInteraction
from bench.training.checkpoints import Checkpoints, State, random_states, restore_random_states
from bench.training.errors import TrainingError
from bench.training.example_order import Order, shard_of
from bench.training.log import Step, StepLog, steps_of
from bench.training.memory import naming_what_to_lower
from bench.training.objective import Objective, Validation
from bench.training.processes import ALONE, Processes

if TYPE_CHECKING:  # a bare machine with a GPU has no pydantic
    from bench.config.training import LoopSettings

MAX_GRADIENT_NORM = 1.0
FETCHED = 50  # steps of a GPU whose losses are fetched at once, so that the host waits for none of them


@dataclass(frozen=True)
class Outcome:
    """Result of a run. steps: all steps, including steps before the resumed checkpoint; kept: step of the final weights."""

    steps: list[Step]
    kept: int
    resumed_from: int


@dataclass(frozen=True)
class Sums:
    """Results of a whole batch: loss and parts as means over its queries, accuracy as share of hits, number of tokens."""

    loss: float
    parts: dict[str, float]
    accuracy: float
    tokens: float


class Loop:
    """One training run, which updates ``encoder`` in place."""

    def __init__(
        self,
        encoder: LateInteraction,
        objective: Objective,
        order: Order,
        settings: "LoopSettings",
        processes: Processes = ALONE,
    ):
        self.encoder, self.objective, self.order = encoder, objective, order
        self.settings, self.processes = settings, processes
        encoder.to(processes.device).eval()
        if processes.device == "cpu":
            encoder.bert.set_attn_implementation("eager")  # on CPUs, twice as fast as fused attention in the backward pass
        self.fetched = 1 if processes.device == "cpu" else FETCHED
        self.named = {name: each for name, each in encoder.named_parameters() if each.requires_grad}
        self.parameters = list(self.named.values())
        self.optimizer = torch.optim.AdamW(self.parameters, lr=settings.learning_rate, weight_decay=0.0, fused=True)

    def run(
        self,
        *,
        log: Path | None = None,
        checkpoints: Checkpoints | None = None,
        validation: Validation | None = None,
        report: Callable[[Step], None] = lambda step: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> Outcome:
        """Take the remaining steps, starting from the newest complete checkpoint if one exists.

        The encoder ends on the CPU, with the weights of the best validation (the first of equal values) or, without
        validation, of the last step. Raise TrainingError with step and queries if loss or gradient is not finite, and also
        if memory is insufficient; log and checkpoints are kept.
        """
        found = checkpoints.latest() if checkpoints is not None else None
        self.processes.wait()
        state = found or State()
        if found is not None:
            self._restore(found)
        lines = StepLog(log if self.processes.first else None, state.log)
        first, waiting, started = state.step, list[torch.Tensor](), clock()
        for step in range(first, self.settings.steps):
            if not waiting:
                started = clock()
            waiting.append(self.step(step))
            due = validation is not None and ((step + 1) % validation.every == 0 or step + 1 == self.settings.steps)
            saved = checkpoints is not None and (step + 1) % checkpoints.every == 0
            if not (due or saved or len(waiting) == self.fetched or step + 1 == self.settings.steps):
                continue
            fetched = torch.stack(waiting).tolist()
            seconds = (clock() - started) / len(waiting)
            for number, numbers in enumerate(fetched, step + 1 - len(waiting)):
                sums = self._checked(number, numbers)
                taken = Step(
                    number + 1,
                    sums.loss,
                    self._rate(number),
                    sums.accuracy,
                    sums.parts,
                    self.settings.batch / seconds,
                    sums.tokens / seconds,
                    self._validate(validation, state, step + 1) if validation is not None and due and number == step else {},
                )
                lines.append(taken)
                report(taken)
            waiting.clear()
            if checkpoints is not None and saved:
                self._save(checkpoints, state, step + 1, lines)
        if state.best:
            self.encoder.load_state_dict(dict(state.best))
        self.encoder.to("cpu")
        return Outcome(steps_of(lines.text), state.best_step or self.settings.steps, first)

    def step(self, step: int) -> torch.Tensor:
        """Run step ``step``, from 0: compute the gradients of the whole batch, then update the weights with AdamW.

        Return the totals of the batch and the norm of its gradient, on the device. They are checked before the update on a
        CPU. On a GPU they are checked when they are fetched, always before a checkpoint or a validation.
        """
        positions = self.order(step)
        with naming_what_to_lower(step + 1, self.micro_batch(len(positions)), self.processes.device):
            totals = self._totals(positions)
            if self.fetched == 1:
                self._check(step, "loss", float(totals[0]))
            norm = torch.nn.utils.clip_grad_norm_(self.parameters, MAX_GRADIENT_NORM)
            if self.fetched == 1:
                self._check(step, "norm of the gradient", float(norm))
            for group in self.optimizer.param_groups:
                group["lr"] = self._rate(step)
            self.optimizer.step()
        return torch.cat([totals, norm.detach().double().reshape(1)])

    def _check(self, step: int, what: str, value: float) -> None:
        if not np.isfinite(value):
            where = f"at step {step + 1} with queries {self.objective.names(self.order(step))}"
            raise TrainingError(f"{what} is {value} {where}; lower learning_rate")

    def _checked(self, step: int, numbers: list[float]) -> Sums:
        """Return the sums of a step from what ``step`` returned. Raise TrainingError if loss or gradient is not finite."""
        *totals, norm = numbers
        self._check(step, "loss", totals[0])
        self._check(step, "norm of the gradient", norm)
        return self._sums(totals, len(self.order(step)))

    def gradients(self, positions: np.ndarray) -> Sums:
        """Store in the parameters the gradient of the mean loss over a batch, for any split into parts and processes.

        In-batch negatives are the exception: a query only sees the passages of its own micro-batch, so the loss depends on
        the split.
        """
        return self._sums(self._totals(positions).tolist(), len(positions))

    def _sums(self, totals: list[float], batch: int) -> Sums:
        loss, *parts, hits, tokens = totals
        return Sums(loss, dict(zip(self.objective.parts, parts, strict=True)), hits / batch, tokens)

    def _totals(self, positions: np.ndarray) -> torch.Tensor:
        own = shard_of(positions, self.processes.rank, self.processes.count)
        size = self.micro_batch(len(positions))
        names = self.objective.parts
        self.optimizer.zero_grad(set_to_none=True)
        totals = torch.zeros(len(names) + 3, dtype=torch.float64, device=self.processes.device)
        for start in range(0, len(own), size):
            some = own[start : start + size]
            found = self.objective.losses(self.encoder, some, self.settings.precision, self.processes.device)
            share = len(some) / len(positions)
            (found.loss * share).backward()
            means = torch.stack([found.loss.detach(), *(found.parts[name].detach() for name in names)]).double()
            totals[: len(means)] += means * share
            totals[-2] += found.hits
            totals[-1] += found.tokens
        totals = self.processes.total(totals)
        self.processes.add_gradients(self.parameters)
        return totals

    def micro_batch(self, batch: int) -> int:
        """Return the number of queries in memory at once: the setting, or the largest share of a batch per process."""
        return self.settings.micro_batch or -(-batch // self.processes.count)

    def _rate(self, step: int) -> float:
        return self.settings.learning_rate * self.settings.rate(step)

    def _validate(self, validation: Validation, state: State, step: int) -> dict[str, float]:
        """Validate in the first process, share the value, and keep a copy of the weights if the value is the best so far."""
        value = 0.0
        if self.processes.first:
            value = validation.value(self.encoder)
        value = float(self.processes.total(torch.tensor([value], dtype=torch.float64, device=self.processes.device)))
        if state.best_value is None or value > state.best_value:
            state.best_value, state.best_step = value, step
            state.best = {name: tensor.detach().cpu().clone() for name, tensor in self.encoder.state_dict().items()}
        return {validation.measure: value}

    def _save(self, checkpoints: Checkpoints, state: State, step: int, lines: StepLog) -> None:
        state.step, state.random = step, self.processes.gathered(random_states(self.processes.device))
        if self.processes.first:
            state.weights, state.log = self.encoder.state_dict(), lines.text
            state.optimizer = {
                f"{name}.{kind}": tensor
                for name, parameter in self.named.items()
                for kind, tensor in self.optimizer.state[parameter].items()
            }
            checkpoints.save(state)
            state.weights, state.optimizer, state.log = {}, {}, ""
        self.processes.wait()

    def _restore(self, state: State) -> None:
        self.encoder.load_state_dict(dict(state.weights))
        for key, tensor in state.optimizer.items():
            name, _, kind = key.rpartition(".")
            self.optimizer.state[self.named[name]][kind] = tensor.to(self.processes.device)
        restore_random_states(state.random[self.processes.rank], self.processes.device)
