"""Train a cross-encoder on triples, from pretrained weights, so that it can score as a teacher."""

import functools
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from bench.config.compute import Machine
from bench.config.training import TeacherSettings
from bench.config.weights import Weights
from bench.corpus.texts import open_passages, open_queries
from bench.encoder import base
from bench.errors import DataError
from bench.files.provenance import context
from bench.files.storage import digest_of, write_text
from bench.machine.progress import bar
from bench.training import cross_encoder
from bench.training.cross_encoder import TeacherStep
from bench.training.triples import read_triples
from bench.verbs.common import Flat, prepare_torch


def train_teacher(
    *,
    weights: Annotated[Weights, Flat],
    corpus: Path,
    queries: Path,
    triples: Path,
    settings: Annotated[TeacherSettings, Flat],
    machine: Annotated[Machine, Flat],
    log: Path,
    output: Path,
) -> None:
    """Train a cross-encoder on triples, from pretrained weights, so that it can score as a teacher.

    :param corpus: Corpus folder of the triples.
    :param queries: Query folder of the triples.
    :param triples: File of triples.
    :param log: JSON lines of steps to write.
    :param output: Cross-encoder folder to write.
    """
    prepare_torch(machine.threads, settings.seed, machine.device)
    read, asked = open_passages(corpus), open_queries(queries)
    rows, made_from = read_triples(triples)
    if made_from != {"corpus": read.manifest.digest, "queries": asked.manifest.digest}:
        raise DataError(f"{triples} was made from another corpus or other queries: rebuild it")
    model, tokenizer = cross_encoder.from_base(base.locate(weights))
    cross_encoder.check_settings(settings, rows, model, tokenizer)
    used = rows[: settings.steps * settings.batch]
    named = sorted({passage for triple in used for passage in (triple.positive, *triple.negatives)})
    passages = dict(zip(named, (text.text for text in read.at(named)), strict=True))
    steps: list[TeacherStep] = []
    with bar(f"train {output.name}", settings.steps, "steps") as progress:

        def report(step: TeacherStep) -> None:
            steps.append(step)
            progress.update()

        texts = [text.text for text in asked.texts]
        train = functools.partial(cross_encoder.train_teacher, device=machine.device, report=report)
        train(model, tokenizer, used, texts, passages, settings)
    named_weights = {"base": weights.name, "revision": weights.revision, "sha256": weights.sha256}
    manifest = cross_encoder.save(
        model,
        tokenizer,
        output,
        settings={**settings.model_dump(), "threads": machine.threads, **named_weights},
        inputs={**made_from, "triples": digest_of([asdict(triple) for triple in used])},
        context=context(__name__),
    )
    write_text(log, "".join(json.dumps(asdict(step)) + "\n" for step in steps))
    last = steps[-len(steps) // 10 or None :]
    loss, accuracy = (sum(getattr(step, name) for step in last) / len(last) for name in ("loss", "accuracy"))
    print(f"{settings.steps} steps: loss {loss:.3f}, accuracy within triples {accuracy:.3f}; digest {manifest.digest[:16]}")
