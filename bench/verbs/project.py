"""Make a model from pretrained weights and a projection: fitted by PCA on hidden states of passages, or drawn at random."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from bench.corpus.texts import Passages, open_passages
from bench.encoder import base, checkpoint, projection
from bench.encoder.inputs import Inputs, InputSettings
from bench.encoder.model import late_interaction
from bench.errors import SettingsError
from bench.files.provenance import context
from bench.verbs import common, models


def arguments(parser: ArgumentParser) -> None:
    models.add_base(parser)
    models.add_inputs(parser)
    parser.add_argument("--corpus", type=Path, help="corpus folder to take the sample from; without it, a random projection")
    parser.add_argument("--passages", type=int, help="passages in the sample")
    parser.add_argument("--dim", type=int, required=True, help="dimensions of a token vector")
    parser.add_argument("--doc-maxlen", type=int, help="tokens of a passage of the sample")
    parser.add_argument("--seed", type=int, required=True, help="seed of the sample, or of the random projection")
    common.add_compute(parser)
    common.add_output(parser, "model folder to write")


def run(args: Namespace) -> None:
    common.prepare_torch(args.threads, device=args.device)
    bert, tokenizer = base.load(base.locate(models.base_given(args)))
    if args.dim > bert.config.hidden_size:
        raise SettingsError(f"dim {args.dim} is more than the {bert.config.hidden_size} hidden dimensions of {args.name}")
    settings = InputSettings(**models.inputs_given(args))
    fitted = {name: getattr(args, name) for name in ("corpus", "passages", "doc_maxlen")}
    if absent := sorted(name for name, value in fitted.items() if value is None):
        if len(absent) < len(fitted):
            raise SettingsError(f"{absent} of the command line are missing: a fitted projection needs {sorted(fitted)}")
        weight, made_from, how = projection.drawn(args.dim, bert.config.hidden_size, args.seed), {}, "drawn at random"
    else:
        corpus = open_passages(args.corpus)
        weight, kept = _fitted(args, bert, Inputs(tokenizer, settings), corpus)
        made_from, how = {"corpus": corpus.manifest.digest}, f"keep {kept:.1%} of energy"
    named = ("revision", "sha256", "dim", "seed", "passages", "doc_maxlen", "precision", "threads")
    manifest = checkpoint.save(
        late_interaction(bert.to("cpu"), tokenizer, weight, settings),
        args.output,
        settings={"base": args.name, **{name: getattr(args, name) for name in named}},
        inputs=made_from,
        context=context(__name__),
    )
    print(f"{args.name}: {args.dim} of {bert.config.hidden_size} directions, {how}; digest {manifest.digest[:16]}")


def _fitted(args: Namespace, bert: nn.Module, inputs: Inputs, corpus: Passages) -> tuple[torch.Tensor, float]:
    """The projection, and the share of the energy of the hidden states that it keeps."""
    count = min(args.passages, len(corpus))
    chosen = np.sort(np.random.default_rng(args.seed).choice(len(corpus), count, replace=False))
    texts = [text.text for text in corpus.at(chosen.tolist())]
    bert.to(args.device)
    blocks = projection.hidden_states(
        bert, inputs, texts, maxlen=args.doc_maxlen, precision=args.precision, device=args.device
    )
    moment = projection.second_moment(blocks)
    kept = float(np.linalg.eigvalsh(moment)[-args.dim :].sum() / np.trace(moment))
    return projection.principal_directions(moment, args.dim), kept
