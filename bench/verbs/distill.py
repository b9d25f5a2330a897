"""Train a model on n-way tuples to score as a teacher does; a killed run goes on from its last checkpoint."""

import functools
from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.corpus.texts import open_passages, open_queries
from bench.errors import DataError
from bench.training.distillation import DistillSettings, distill, prepare
from bench.training.processes import open_processes
from bench.training.tuples import read_tuples
from bench.verbs import common, training


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--start", type=Path, required=True, help="model folder to start from")
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder of the tuples")
    parser.add_argument("--queries", type=Path, required=True, help="query folder of the tuples")
    parser.add_argument("--tuples", type=Path, required=True, help="folder of tuples with a teacher's scores")
    parser.add_argument("--teacher-temperature", type=float, default=1.0, help="divides the teacher's scores in the softmax")
    parser.add_argument("--in-batch-weight", type=float, required=True, help="of the in-batch cross-entropy; 0 for none")
    parser.add_argument("--seed", type=int, required=True, help="seed of the order of tuples, and of validation passages")
    training.add_training(parser)


def run(args: Namespace) -> None:
    training.check_flags(args)
    common.prepare_torch(args.threads, args.seed, args.device)
    settings = training.settings_given(DistillSettings, args)
    corpus, queries = open_passages(args.corpus), open_queries(args.queries)
    tuples = read_tuples(args.tuples)
    opened = {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest}
    for name, digest in opened.items():
        if tuples.manifest.inputs.get(name, digest) != digest:
            raise DataError(f"{args.tuples} was made from another {name} folder than {getattr(args, name)}: rebuild it")
    encoder, start = training.open_start(args)
    processes = open_processes(args.device)
    inputs = {**opened, "start": start.digest, "tuples": tuples.manifest.digest}
    texts = {text.id: text.text for text in queries.texts}
    trained_on = {texts[query] for query in tuples.queries if query in texts}
    validation = training.validation_given(args, corpus, trained_on, processes.device, inputs)
    objective = prepare(encoder, tuples, texts, corpus.slice(0, len(corpus)), settings)
    training.run(
        args,
        encoder,
        processes,
        functools.partial(distill, encoder, objective),
        settings=training.described(args, settings, encoder, start, processes),
        inputs=inputs,
        validation=validation,
        module=__name__,
    )
