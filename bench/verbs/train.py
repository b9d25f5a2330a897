"""Train a model further on triples, with in-batch and hard negatives; a killed run goes on from its last checkpoint."""

import functools
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from bench.corpus.texts import open_passages, open_queries
from bench.errors import DataError
from bench.files.storage import digest_of
from bench.training.contrastive import TrainSettings, train
from bench.training.processes import open_processes
from bench.training.triples import read_triples
from bench.verbs import common, training


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--start", type=Path, required=True, help="model folder to start from")
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder of the triples")
    parser.add_argument("--queries", type=Path, required=True, help="query folder of the triples")
    parser.add_argument("--triples", type=Path, required=True, help="file of triples")
    parser.add_argument("--seed", type=int, required=True, help="seed of torch and of the validation's passages")
    training.add_training(parser)


def run(args: Namespace) -> None:
    training.check_flags(args)
    common.prepare_torch(args.threads, args.seed, args.device)
    settings = training.settings_given(TrainSettings, args)
    corpus, queries = open_passages(args.corpus), open_queries(args.queries)
    triples, made_from = read_triples(args.triples)
    if made_from != {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest}:
        raise DataError(f"{args.triples} was made from another corpus or other queries: rebuild it")
    if len(triples) < args.steps * args.batch:
        raise DataError(f"{args.triples} has {len(triples)} triples, {args.steps} steps of {args.batch} need more")
    encoder, start = training.open_start(args)
    processes = open_processes(args.device)
    inputs = {**made_from, "start": start.digest, "triples": digest_of([asdict(triple) for triple in triples])}
    used = triples[: args.steps * args.batch]
    trained_on = {queries.texts[triple.query].text for triple in used}
    validation = training.validation_given(args, corpus, trained_on, processes.device, inputs)
    named = sorted({passage for triple in triples for passage in (triple.positive, *triple.negatives)})
    passages = dict(zip(named, (text.text for text in corpus.at(named)), strict=True))
    texts, names = [text.text for text in queries.texts], [text.id for text in queries.texts]
    training.run(
        args,
        encoder,
        processes,
        functools.partial(train, encoder, triples, texts, passages, settings, names=names),
        settings=training.described(args, settings, encoder, start, processes),
        inputs=inputs,
        validation=validation,
        module=__name__,
    )
