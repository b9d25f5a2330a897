"""Train a model on n-way tuples to score as a teacher does; a killed run goes on from its last checkpoint."""

import functools
from pathlib import Path
from typing import Annotated

from bench.config.compute import Machine
from bench.config.inputs import InputSettings
from bench.config.training import DistillSettings
from bench.corpus.texts import open_passages, open_queries
from bench.errors import DataError
from bench.training import distillation
from bench.training.processes import open_processes
from bench.training.tuples import read_tuples
from bench.verbs import training
from bench.verbs.common import Flat, prepare_torch
from bench.verbs.training import RunFlags


def distill(
    *,
    flags: Annotated[RunFlags, Flat],
    tuples: Path,
    settings: Annotated[DistillSettings, Flat],
    inputs: Annotated[InputSettings, Flat] = InputSettings(),
    machine: Annotated[Machine, Flat],
) -> None:
    """Train a model on n-way tuples to score as a teacher does; a killed run goes on from its last checkpoint.

    :param tuples: Folder of tuples with a teacher's scores.
    """
    training.check_work(flags, settings)
    prepare_torch(machine.threads, settings.seed, machine.device)
    corpus, queries = open_passages(flags.corpus), open_queries(flags.queries)
    read = read_tuples(tuples)
    made_from = {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest}
    for name, digest in made_from.items():
        if read.manifest.inputs.get(name, digest) != digest:
            raise DataError(f"{tuples} was made from another {name} folder than {getattr(flags, name)}: rebuild it")
    encoder, start = training.open_start(flags, settings, inputs)
    processes = open_processes(machine.device)
    made_from |= {"start": start.digest, "tuples": read.manifest.digest}
    texts = {text.id: text.text for text in queries.texts}
    trained_on = {texts[query] for query in read.queries if query in texts}
    validation = training.validation_given(flags, settings, corpus, trained_on, processes.device, made_from)
    objective = distillation.prepare(encoder, read, texts, corpus.slice(0, len(corpus)), settings)
    training.run(
        flags,
        settings,
        encoder,
        processes,
        functools.partial(distillation.distill, encoder, objective),
        settings=training.described(flags, settings, machine.threads, encoder, start, processes),
        inputs=made_from,
        validation=validation,
        module=__name__,
    )
