"""Train a cross-encoder on triples, from pretrained weights, so that it can score as a teacher."""

import json
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path

from bench.corpus.texts import open_passages, open_queries
from bench.encoder import base
from bench.errors import DataError
from bench.files.provenance import context
from bench.files.storage import digest_of, write_text
from bench.machine.progress import bar
from bench.training.cross_encoder import LOSSES, TeacherSettings, TeacherStep, check_settings, from_base, save, train_teacher
from bench.training.triples import read_triples
from bench.verbs import common, models


def arguments(parser: ArgumentParser) -> None:
    models.add_base(parser)
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder of the triples")
    parser.add_argument("--queries", type=Path, required=True, help="query folder of the triples")
    parser.add_argument("--triples", type=Path, required=True, help="file of triples")
    parser.add_argument("--steps", type=int, required=True, help="optimizer steps")
    parser.add_argument("--batch", type=int, required=True, help="triples per step")
    parser.add_argument("--learning-rate", type=float, required=True, help="peak of AdamW's learning rate")
    parser.add_argument("--warmup", type=int, required=True, help="steps of linear warm-up")
    parser.add_argument("--loss", choices=LOSSES, required=True, help="cross-entropy of single pairs, or within a triple")
    parser.add_argument("--max-length", type=int, required=True, help="tokens of a pair, markers included")
    parser.add_argument("--seed", type=int, required=True, help="seed of torch, which draws the head")
    common.add_compute(parser)
    parser.add_argument("--log", type=Path, required=True, help="JSON lines of steps to write")
    common.add_output(parser, "cross-encoder folder to write")


def run(args: Namespace) -> None:
    common.prepare_torch(args.threads, args.seed, args.device)
    corpus, queries = open_passages(args.corpus), open_queries(args.queries)
    triples, made_from = read_triples(args.triples)
    if made_from != {"corpus": corpus.manifest.digest, "queries": queries.manifest.digest}:
        raise DataError(f"{args.triples} was made from another corpus or other queries: rebuild it")
    settings = TeacherSettings(**{name: getattr(args, name) for name in TeacherSettings.__dataclass_fields__})
    model, tokenizer = from_base(base.locate(models.base_given(args)))
    check_settings(settings, triples, model, tokenizer)
    used = triples[: settings.steps * settings.batch]
    named = sorted({passage for triple in used for passage in (triple.positive, *triple.negatives)})
    passages = dict(zip(named, (text.text for text in corpus.at(named)), strict=True))
    steps: list[TeacherStep] = []
    with bar(f"train {args.output.name}", args.steps, "steps") as progress:

        def report(step: TeacherStep) -> None:
            steps.append(step)
            progress.update()

        texts = [text.text for text in queries.texts]
        train_teacher(model, tokenizer, used, texts, passages, settings, device=args.device, report=report)
    given = {name: getattr(args, name) for name in ("revision", "sha256", "seed", "threads")}
    manifest = save(
        model,
        tokenizer,
        args.output,
        settings={**asdict(settings), **given, "base": args.name},
        inputs={**made_from, "triples": digest_of([asdict(triple) for triple in used])},
        context=context(__name__),
    )
    write_text(args.log, "".join(json.dumps(asdict(step)) + "\n" for step in steps))
    last = steps[-len(steps) // 10 or None :]
    loss, accuracy = (sum(getattr(step, name) for step in last) / len(last) for name in ("loss", "accuracy"))
    print(f"{args.steps} steps: loss {loss:.3f}, accuracy within triples {accuracy:.3f}; digest {manifest.digest[:16]}")
