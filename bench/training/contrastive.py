"""Contrastive training: in-batch negatives plus hard ones, AdamW with linear warm-up and decay, all from one seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from bench.encoder.encode import autocast, padded
from bench.encoder.model import LateInteraction
from bench.errors import BenchError
from bench.training.losses import in_batch_loss, late_interaction_scores
from bench.training.triples import Triple

MAX_GRADIENT_NORM = 1.0


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """batch: queries per step; learning_rate: the peak; warmup: steps; temperature: divides the MaxSim sums."""

    steps: int
    batch: int
    learning_rate: float
    warmup: int
    temperature: float
    query_maxlen: int
    doc_maxlen: int
    precision: str


@dataclass(frozen=True)
class Step:
    """One line of the training log."""

    step: int
    loss: float
    learning_rate: float
    accuracy: float


class TrainingError(BenchError):
    """The loss is no longer a number."""


def train(
    encoder: LateInteraction,
    triples: Sequence[Triple],
    queries: Sequence[str],
    passages: Mapping[int, str],
    settings: TrainSettings,
    *,
    device: str = "cpu",
    report: Callable[[Step], None] = lambda step: None,
) -> None:
    """Train ``encoder`` in place on ``steps * batch`` triples, in their order.

    Positions in the triples look up queries and passages, of which no others are needed; texts are tokenized once.
    Dropout stays off: runs are short, and so the order of operations is the only source of rounding differences.
    Raises TrainingError with step and queries when the loss is not finite.
    """
    query_ids, query_attention = encoder.inputs.queries(queries, settings.query_maxlen)
    encoded = encoder.inputs.passages(list(passages.values()), settings.doc_maxlen)
    passage_ids = dict(zip(passages, encoded, strict=True))
    encoder.to(device).eval()
    if device == "cpu":
        encoder.bert.set_attn_implementation("eager")  # its backward pass takes half the time of the fused one there
    parameters = [parameter for parameter in encoder.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=settings.learning_rate, weight_decay=0.0, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, settings))
    for step in range(settings.steps):
        batch = triples[step * settings.batch : (step + 1) * settings.batch]
        wanted = [triple.positive for triple in batch] + [p for triple in batch for p in triple.negatives]
        rows = [passage_ids[position] for position in wanted]
        chosen = [triple.query for triple in batch]
        with autocast(settings.precision, device):
            ids, attention = padded(rows, encoder.inputs.pad, device)
            kept = attention.bool() & torch.from_numpy(encoder.inputs.kept(ids.cpu().numpy())).to(device)
            found = encoder(ids, attention)
            longest = int((query_ids[chosen] != encoder.inputs.pad).sum(axis=1).max())
            asked_ids = _on(query_ids[chosen, :longest], device)
            asked = encoder(asked_ids, _on(query_attention[chosen, :longest], device))
            asked = asked * (asked_ids != encoder.inputs.pad).unsqueeze(-1)
        scores = late_interaction_scores(asked, found, kept)
        loss = in_batch_loss(scores, settings.temperature)
        if not torch.isfinite(loss):
            raise TrainingError(f"loss is {loss.item()} at step {step} with queries {chosen}; lower learning_rate")
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, MAX_GRADIENT_NORM)
        rate = schedule.get_last_lr()[0]
        optimizer.step()
        schedule.step()
        hits = (scores.argmax(dim=1) == torch.arange(len(batch), device=device)).float().mean()
        report(Step(step + 1, float(loss.detach()), rate, float(hits)))
    encoder.to("cpu")


def _rate(step: int, settings: TrainSettings) -> float:
    """Share of the peak learning rate: linear up over ``warmup`` steps, then linear down to zero after the last."""
    if step < settings.warmup:
        return (step + 1) / settings.warmup
    return (settings.steps - step) / max(settings.steps - settings.warmup, 1)


def _on(array: np.ndarray, device: str) -> torch.Tensor:
    return torch.from_numpy(array).to(device)
