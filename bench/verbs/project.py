"""Make a model from pretrained weights and a projection fitted by PCA on hidden states of a sample of passages."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from bench.corpus.texts import open_passages
from bench.encoder import base, checkpoint, projection
from bench.encoder.inputs import Inputs, InputSettings
from bench.encoder.model import late_interaction
from bench.errors import SettingsError
from bench.provenance import context
from bench.verbs import common, models


def arguments(parser: ArgumentParser) -> None:
    models.add_base(parser)
    models.add_inputs(parser)
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder to take the sample from")
    parser.add_argument("--passages", type=int, required=True, help="passages in the sample")
    parser.add_argument("--dim", type=int, required=True, help="dimensions of a token vector")
    parser.add_argument("--doc-maxlen", type=int, required=True, help="tokens of a passage")
    parser.add_argument("--seed", type=int, required=True, help="seed of the sample")
    common.add_compute(parser)
    common.add_output(parser, "model folder to write")


def run(args: Namespace) -> None:
    common.prepare_torch(args.threads)
    bert, tokenizer = base.load(base.locate(models.base_given(args)))
    if args.dim > bert.config.hidden_size:
        raise SettingsError(f"dim {args.dim} is more than the {bert.config.hidden_size} hidden dimensions of {args.name}")
    settings = InputSettings(**models.inputs_given(args))
    corpus = open_passages(args.corpus)
    count = min(args.passages, len(corpus))
    chosen = np.sort(np.random.default_rng(args.seed).choice(len(corpus), count, replace=False))
    texts = [text.text for text in corpus.at(chosen.tolist())]
    inputs = Inputs(tokenizer, settings)
    bert.to(args.device)
    blocks = projection.hidden_states(
        bert, inputs, texts, maxlen=args.doc_maxlen, precision=args.precision, device=args.device
    )
    moment = projection.second_moment(blocks)
    weight = projection.principal_directions(moment, args.dim)
    kept = float(np.linalg.eigvalsh(moment)[-args.dim :].sum() / np.trace(moment))
    manifest = checkpoint.save(
        late_interaction(bert.to("cpu"), tokenizer, weight, settings),
        args.output,
        settings={
            "base": args.name,
            "revision": args.revision,
            "sha256": args.sha256,
            "dim": args.dim,
            "seed": args.seed,
        }
        | {"passages": count, "doc_maxlen": args.doc_maxlen, "precision": args.precision, "threads": args.threads},
        inputs={"corpus": corpus.manifest.digest},
        context=context(__name__),
    )
    print(f"{args.name}: {args.dim} of {len(moment)} directions keep {kept:.1%} of energy; digest {manifest.digest[:16]}")
