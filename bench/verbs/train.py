"""Train a model further on triples, with in-batch and hard negatives; a killed run goes on from its last checkpoint."""

import functools
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from bench.config.compute import Machine
from bench.config.inputs import InputSettings
from bench.config.training import TrainSettings
from bench.corpus.texts import open_passages, open_queries
from bench.errors import DataError
from bench.files.storage import digest_of
from bench.training import contrastive
from bench.training.processes import open_processes
from bench.training.triples import read_triples
from bench.verbs import training
from bench.verbs.common import Flat, prepare_torch
from bench.verbs.training import RunFlags


def train(
    *,
    flags: Annotated[RunFlags, Flat],
    triples: Path,
    settings: Annotated[TrainSettings, Flat],
    inputs: Annotated[InputSettings, Flat] = InputSettings(),
    machine: Annotated[Machine, Flat],
) -> None:
    """Train a model further on triples, with in-batch and hard negatives; a killed run goes on from its last checkpoint.

    :param triples: File of triples.
    """
    training.check_work(flags, settings)
    prepare_torch(machine.threads, settings.seed, machine.device)
    corpus, queries = open_passages(flags.corpus), open_queries(flags.queries)
    rows, made_from = read_triples(triples)
    if made_from != {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest}:
        raise DataError(f"{triples} was made from another corpus or other queries: rebuild it")
    if len(rows) < settings.steps * settings.batch:
        raise DataError(f"{triples} has {len(rows)} triples, {settings.steps} steps of {settings.batch} need more")
    encoder, start = training.open_start(flags, settings, inputs)
    processes = open_processes(machine.device)
    made_from |= {"start": start.digest, "triples": digest_of([asdict(row) for row in rows])}
    used = rows[: settings.steps * settings.batch]
    trained_on = {queries.texts[row.query].text for row in used}
    validation = training.validation_given(flags, settings, corpus, trained_on, processes.device, made_from)
    named = sorted({passage for row in rows for passage in (row.positive, *row.negatives)})
    passages = dict(zip(named, (text.text for text in corpus.at(named)), strict=True))
    texts, names = [text.text for text in queries.texts], [text.id for text in queries.texts]
    training.run(
        flags,
        settings,
        encoder,
        processes,
        functools.partial(contrastive.train, encoder, rows, texts, passages, settings, names=names),
        settings=training.described(flags, settings, machine.threads, encoder, start, processes),
        inputs=made_from,
        validation=validation,
        module=__name__,
    )
