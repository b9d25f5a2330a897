"""Make the single-vector baseline from pretrained weights: mean pooling, no markers."""

from argparse import ArgumentParser, Namespace

from bench.encoder import base, checkpoint
from bench.encoder.model import mean_pooling
from bench.files.provenance import context
from bench.verbs import common, models


def arguments(parser: ArgumentParser) -> None:
    models.add_base(parser)
    common.add_output(parser, "model folder to write")


def run(args: Namespace) -> None:
    common.prepare_torch(threads=1)
    bert, tokenizer = base.load(base.locate(models.base_given(args)))
    settings = {"base": args.name, "revision": args.revision, "sha256": args.sha256}
    manifest = checkpoint.save(mean_pooling(bert, tokenizer), args.output, settings=settings, context=context(__name__))
    print(f"{args.name}: mean pooling, {bert.config.hidden_size} dimensions; digest {manifest.digest[:16]}")
