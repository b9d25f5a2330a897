"""Contrastive training with in-batch negatives and hard negatives, on triples in the given order."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bench.encoder.model import LateInteraction
from bench.training.batches import Tokenized
from bench.training.checkpoints import Checkpoints
from bench.training.example_order import in_order
from bench.training.log import Step
from bench.training.loop import Loop, Outcome
from bench.training.losses import in_batch_loss, late_interaction_scores
from bench.training.objective import Losses, Validation
from bench.training.processes import ALONE, Processes
from bench.training.triples import Triple

if TYPE_CHECKING:  # a bare machine with a GPU has no pydantic
    from bench.config.training import TrainSettings


class Contrastive:
    """Cross-entropy of each query over all passages of its micro-batch: positive, in-batch negatives and hard negatives."""

    parts: Sequence[str] = ()

    def __init__(
        self,
        triples: Sequence[Triple],
        texts: Tokenized,
        rows: Mapping[int, int],
        names: Sequence[Any],
        settings: "TrainSettings",
    ):
        self.triples, self.texts, self.rows, self.queries, self.settings = triples, texts, rows, names, settings

    def names(self, positions: np.ndarray) -> list[Any]:
        return [self.queries[self.triples[position].query] for position in positions]

    def losses(self, encoder: LateInteraction, positions: np.ndarray, precision: str, device: str) -> Losses:
        chosen = [self.triples[position] for position in positions]
        wanted = [triple.positive for triple in chosen] + [p for triple in chosen for p in triple.negatives]
        queries = np.array([triple.query for triple in chosen])
        passages = np.array([self.rows[position] for position in wanted])
        found = self.texts.encode(encoder, queries, passages, precision, device, self.settings.pool)
        scores = late_interaction_scores(found.asked, found.found, found.kept)
        hits = (scores.argmax(dim=1) == torch.arange(len(scores), device=device)).sum()
        return Losses(in_batch_loss(scores, self.settings.temperature), {}, hits, found.tokens)


def train(
    encoder: LateInteraction,
    triples: Sequence[Triple],
    queries: Sequence[str],
    passages: Mapping[int, str],
    settings: "TrainSettings",
    *,
    names: Sequence[Any] | None = None,
    processes: Processes = ALONE,
    log: Path | None = None,
    checkpoints: Checkpoints | None = None,
    validation: Validation | None = None,
    report: Callable[[Step], None] = lambda step: None,
) -> Outcome:
    """Train ``encoder`` in place on ``steps * batch`` triples, in the given order.

    Positions in the triples refer to ``queries`` and ``passages``; passages outside the triples are not needed. Texts are
    tokenized once. Error messages identify queries by ``names``, or by position if there are no names. In-batch negatives
    come from the micro-batch of one device. Raise TrainingError under the same conditions as ``bench.training.loop``.
    """
    texts = Tokenized(
        encoder, queries, passages.values(), query_maxlen=settings.query_maxlen, doc_maxlen=settings.doc_maxlen
    )
    rows = {position: row for row, position in enumerate(passages)}
    objective = Contrastive(triples, texts, rows, names or range(len(queries)), settings)
    loop = Loop(encoder, objective, in_order(settings.batch), settings, processes)
    return loop.run(log=log, checkpoints=checkpoints, validation=validation, report=report)
