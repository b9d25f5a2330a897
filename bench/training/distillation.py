"""Denoised supervision (arXiv 2112.01488, section 3.2): distillation of a teacher's scores over n-way tuples."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.config.training import DistillSettings
from bench.corpus.texts import Text
from bench.encoder.model import LateInteraction
from bench.encoder.on_device import moved
from bench.errors import DataError, SettingsError
from bench.training.batches import Tokenized
from bench.training.checkpoints import Checkpoints
from bench.training.example_order import shard_of, shuffled
from bench.training.log import Step
from bench.training.loop import Loop, Outcome
from bench.training.losses import (
    distillation_loss,
    in_batch_tuple_loss,
    late_interaction_scores,
    own_scores,
    tuple_scores,
)
from bench.training.objective import Losses, Validation
from bench.training.processes import ALONE, Processes
from bench.training.tuples import Tuples


class Distillation:
    """KL divergence to the teacher over each tuple, and in-batch cross-entropy within a micro-batch of one device."""

    def __init__(self, tuples: Tuples, rows: np.ndarray, texts: Tokenized, settings: DistillSettings):
        """Initialise the objective. rows ``[queries, nway]``: rows of the tuples' passages among the tokenized passages."""
        self.tuples, self.rows, self.texts, self.settings = tuples, rows, texts, settings

    @property
    def parts(self) -> Sequence[str]:
        return ("kl", "in_batch") if self.settings.in_batch_weight else ("kl",)

    def names(self, positions: np.ndarray) -> list[Any]:
        return [self.tuples.queries[position] for position in positions]

    def losses(self, encoder: LateInteraction, positions: np.ndarray, precision: str, device: str) -> Losses:
        passages, pool = self.rows[positions].ravel(), self.settings.pool
        found = self.texts.encode(encoder, positions, passages, precision, device, pool)
        teacher = moved(self.tuples.scores[positions], torch.device(device)) / self.settings.teacher_temperature
        weight, temperature = self.settings.in_batch_weight, self.settings.temperature
        if not weight:
            scores = tuple_scores(found.asked, found.found, found.kept) / temperature
            loss = distillation_loss(scores, teacher)
            return Losses(loss, {"kl": loss}, _hits(scores), found.tokens)
        everything = late_interaction_scores(found.asked, found.found, found.kept) / temperature
        scores = own_scores(everything)
        kl, in_batch = distillation_loss(scores, teacher), in_batch_tuple_loss(everything)
        return Losses(kl + weight * in_batch, {"kl": kl, "in_batch": in_batch}, _hits(scores), found.tokens)


def _hits(scores: torch.Tensor) -> torch.Tensor:
    return (scores.argmax(dim=1) == 0).sum()


def prepare(
    encoder: LateInteraction,
    tuples: Tuples,
    queries: Mapping[str, str],
    passages: Iterable[Text],
    settings: DistillSettings,
) -> Distillation:
    """Look up and tokenize the texts of the tuples. ``passages`` are streamed once, and only passages of tuples are kept.

    Raise DataError for a query or passage that is missing, and for a teacher score that is not finite.
    """
    if len(lost := np.argwhere(~np.isfinite(tuples.scores))):
        query, place = lost[0]
        raise DataError(
            f"the tuple of query {tuples.queries[query]!r} has the score {tuples.scores[query, place]} for passage "
            f"{tuples.passages[query][place]!r}: distillation needs a teacher's score for every passage; run bench score"
        )
    if missing := [query for query in tuples.queries if query not in queries]:
        raise DataError(f"query {missing[0]!r} of the tuples is not among the queries ({len(missing)} are not)")
    row_of = dict.fromkeys((passage for passages in tuples.passages for passage in passages), -1)
    found = 0

    def named() -> Iterator[str]:
        nonlocal found
        for text in passages:
            if text.id in row_of:
                row_of[text.id] = found
                found += 1
                yield text.text

    texts = Tokenized(
        encoder,
        [queries[query] for query in tuples.queries],
        named(),
        query_maxlen=settings.query_maxlen,
        doc_maxlen=settings.doc_maxlen,
    )
    if found < len(row_of):
        absent = next(passage for passage, row in row_of.items() if row < 0)
        raise DataError(f"passage {absent!r} of the tuples is not in the corpus ({len(row_of) - found} are not)")
    rows = np.array([[row_of[passage] for passage in passages] for passages in tuples.passages], np.int64)
    return Distillation(tuples, rows, texts, settings)


def distill(
    encoder: LateInteraction,
    objective: Distillation,
    *,
    processes: Processes = ALONE,
    log: Path | None = None,
    checkpoints: Checkpoints | None = None,
    validation: Validation | None = None,
    report: Callable[[Step], None] = lambda step: None,
) -> Outcome:
    """Train ``encoder`` in place on tuples in a seeded random order. Raise the same errors as ``bench.training.loop``.

    Raise SettingsError if the split of a batch separates a group of similar queries, or if the loss has an in-batch part
    and the split leaves a query without other queries.
    """
    settings, tuples = objective.settings, objective.tuples
    _check_split(settings, processes.count, tuples.group_size)
    order = shuffled(len(tuples.queries), settings.batch, settings.seed, tuples.group_size)
    loop = Loop(encoder, objective, order, settings, processes)
    return loop.run(log=log, checkpoints=checkpoints, validation=validation, report=report)


def _check_split(settings: DistillSettings, devices: int, group_size: int) -> None:
    """Raise SettingsError if a split separates a group of similar queries or leaves a query without in-batch negatives."""
    shares = {len(shard_of(np.arange(settings.batch), rank, devices)) for rank in range(devices)}
    if parted := [size for size in (*sorted(shares), settings.micro_batch or group_size) if size % group_size]:
        raise SettingsError(
            f"batch {settings.batch} on {devices} devices with micro_batch {settings.micro_batch} has parts of {parted[0]} "
            f"queries; the tuples stand in groups of {group_size} similar queries, so a multiple of that is right"
        )
    lone = [share for share in sorted(shares) if share % (settings.micro_batch or share or 1) == 1 or share == 1]
    if settings.in_batch_weight and lone:
        raise SettingsError(
            f"in_batch_weight {settings.in_batch_weight}: batch {settings.batch} on {devices} devices with micro_batch "
            f"{settings.micro_batch or lone[0]} leaves a query alone in its micro-batch; give numbers that divide evenly"
        )
