"""Make a model from pretrained weights and a projection: fitted by PCA on hidden states of passages, or random."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from torch import nn

from bench.config.compute import Compute
from bench.config.inputs import InputSettings
from bench.config.settings import Count, Natural
from bench.config.weights import Weights
from bench.corpus.texts import Passages, open_passages
from bench.encoder import base, checkpoint, projection
from bench.encoder.inputs import Inputs
from bench.encoder.model import late_interaction
from bench.errors import SettingsError
from bench.files.provenance import context
from bench.verbs.common import Flat, prepare_torch


def project(
    *,
    weights: Annotated[Weights, Flat],
    inputs: Annotated[InputSettings, Flat] = InputSettings(),
    corpus: Path | None = None,
    passages: Count | None = None,
    dim: Count,
    doc_maxlen: Count | None = None,
    seed: Natural,
    compute: Annotated[Compute, Flat],
    output: Path,
) -> None:
    """Make a model from pretrained weights and a projection: fitted by PCA on hidden states of passages, or random.

    :param corpus: Corpus folder to take the sample from; without it, a random projection.
    :param passages: Passages in the sample.
    :param dim: Dimensions of a token vector.
    :param doc_maxlen: Tokens of a passage of the sample.
    :param seed: Seed of the sample, or of the random projection.
    :param output: Model folder to write.
    """
    prepare_torch(compute.threads, device=compute.device)
    bert, tokenizer = base.load(base.locate(weights))
    if dim > bert.config.hidden_size:
        raise SettingsError(f"dim {dim} is more than the {bert.config.hidden_size} hidden dimensions of {weights.name}")
    if corpus is not None and passages is not None and doc_maxlen is not None:
        texts = open_passages(corpus)
        matrix, kept = _fitted(bert, Inputs(tokenizer, inputs, bert), texts, dim, passages, doc_maxlen, seed, compute)
        made_from, how = {"corpus": texts.manifest.digest}, f"keep {kept:.1%} of energy"
    elif (corpus, passages, doc_maxlen) == (None, None, None):
        matrix, made_from, how = projection.drawn(dim, bert.config.hidden_size, seed), {}, "drawn at random"
    else:
        raise SettingsError(
            "--corpus, --passages and --doc-maxlen of the command line go together: a fitted projection needs them all"
        )
    settings: dict[str, Any] = {"dim": dim, "seed": seed, "passages": passages, "doc_maxlen": doc_maxlen}
    settings |= {"precision": compute.precision, "threads": compute.threads}
    manifest = checkpoint.save(
        late_interaction(bert.to("cpu"), tokenizer, matrix, inputs),
        output,
        settings={"base": weights.name, "revision": weights.revision, "sha256": weights.sha256, **settings},
        inputs=made_from,
        context=context(__name__),
    )
    print(f"{weights.name}: {dim} of {bert.config.hidden_size} directions, {how}; digest {manifest.digest[:16]}")


def _fitted(
    bert: nn.Module,
    inputs: Inputs,
    corpus: Passages,
    dim: int,
    passages: int,
    doc_maxlen: int,
    seed: int,
    compute: Compute,
) -> tuple[torch.Tensor, float]:
    """The projection, and the share of the energy of the hidden states that it keeps."""
    count = min(passages, len(corpus))
    chosen = np.sort(np.random.default_rng(seed).choice(len(corpus), count, replace=False))
    texts = [text.text for text in corpus.at(chosen.tolist())]
    bert.to(compute.device)
    how = {"precision": compute.precision, "device": compute.device}
    moment = projection.second_moment(projection.hidden_states(bert, inputs, texts, maxlen=doc_maxlen, **how))
    kept = float(np.linalg.eigvalsh(moment)[-dim:].sum() / np.trace(moment))
    return projection.principal_directions(moment, dim), kept
