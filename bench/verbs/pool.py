"""Make the single-vector baseline from pretrained weights: mean pooling, no markers."""

from pathlib import Path
from typing import Annotated

from bench.config.weights import Weights
from bench.encoder import base, checkpoint
from bench.encoder.model import mean_pooling
from bench.files.provenance import context
from bench.verbs.common import Flat, prepare_torch


def pool(*, weights: Annotated[Weights, Flat], output: Path) -> None:
    """Make the single-vector baseline from pretrained weights: mean pooling, no markers.

    :param output: Model folder to write.
    """
    prepare_torch(threads=1)
    bert, tokenizer = base.load(base.locate(weights))
    settings = {"base": weights.name, "revision": weights.revision, "sha256": weights.sha256}
    manifest = checkpoint.save(mean_pooling(bert, tokenizer), output, settings=settings, context=context(__name__))
    print(f"{weights.name}: mean pooling, {bert.config.hidden_size} dimensions; digest {manifest.digest[:16]}")
