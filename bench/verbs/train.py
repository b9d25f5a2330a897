"""Train a model further on triples, with in-batch and hard negatives."""

import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from bench.corpus.texts import open_passages, open_queries
from bench.encoder import checkpoint
from bench.encoder.inputs import Inputs, InputSettings
from bench.encoder.model import LateInteraction
from bench.errors import DataError, SettingsError
from bench.progress import bar
from bench.provenance import context
from bench.storage import digest_of, write_text
from bench.training.contrastive import Step, TrainSettings, train
from bench.training.triples import read_triples
from bench.verbs import common, models


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--start", type=Path, required=True, help="model folder to start from")
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder of the triples")
    parser.add_argument("--queries", type=Path, required=True, help="query folder of the triples")
    parser.add_argument("--triples", type=Path, required=True, help="file of triples")
    parser.add_argument("--steps", type=int, required=True, help="optimizer steps")
    parser.add_argument("--batch", type=int, required=True, help="queries per step")
    parser.add_argument("--learning-rate", type=float, required=True, help="peak of AdamW's learning rate")
    parser.add_argument("--warmup", type=int, required=True, help="steps of linear warm-up")
    parser.add_argument("--temperature", type=float, required=True, help="divides MaxSim sums in the softmax")
    parser.add_argument("--query-maxlen", type=int, required=True, help="tokens of a query, markers included")
    parser.add_argument("--doc-maxlen", type=int, required=True, help="tokens of a passage, markers included")
    parser.add_argument("--seed", type=int, required=True, help="seed of torch")
    models.add_inputs(parser)
    common.add_compute(parser)
    parser.add_argument("--log", type=Path, required=True, help="JSON lines of steps to write")
    common.add_output(parser, "model folder to write")


def run(args: Namespace) -> None:
    common.prepare_torch(args.threads, args.seed)
    corpus, queries = open_passages(args.corpus), open_queries(args.queries)
    triples, made_from = read_triples(args.triples)
    if made_from != {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest}:
        raise DataError(f"{args.triples} was made from another corpus or other queries: rebuild it")
    if len(triples) < args.steps * args.batch:
        raise DataError(f"{args.triples} has {len(triples)} triples, {args.steps} steps of {args.batch} need more")
    encoder, start = checkpoint.load(args.start)
    if not isinstance(encoder, LateInteraction):
        raise SettingsError(f"{args.start} is a model of kind {encoder.kind!r}; only late interaction is trained here")
    changed = asdict(encoder.inputs.settings) | models.inputs_given(args)
    encoder.inputs = Inputs(encoder.inputs.tokenizer, InputSettings(**changed))
    fields = TrainSettings.__dataclass_fields__
    settings = TrainSettings(**{name: getattr(args, name) for name in fields})
    steps: list[Step] = []
    with bar(f"train {args.output.name}", args.steps, "steps") as progress:

        def report(step: Step) -> None:
            steps.append(step)
            progress.update()

        named = sorted({passage for triple in triples for passage in (triple.positive, *triple.negatives)})
        passages = dict(zip(named, (text.text for text in corpus.at(named)), strict=True))
        texts = [text.text for text in queries.texts]
        train(encoder, triples, texts, passages, settings, device=args.device, report=report)
    manifest = checkpoint.save(
        encoder,
        args.output,
        settings={**asdict(settings), "seed": args.seed, "threads": args.threads, "start": start.settings},
        inputs={**made_from, "start": start.digest, "triples": digest_of([asdict(triple) for triple in triples])},
        context=context(__name__),
    )
    write_text(args.log, "".join(json.dumps(asdict(step)) + "\n" for step in steps))
    last = steps[-len(steps) // 10 or None :]
    loss, accuracy = (sum(getattr(step, name) for step in last) / len(last) for name in ("loss", "accuracy"))
    print(f"{args.steps} steps: loss {loss:.3f}, in-batch accuracy {accuracy:.3f}; digest {manifest.digest[:16]}")
