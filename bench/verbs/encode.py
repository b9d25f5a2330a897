"""Encode one shard of a corpus to token vectors."""

from pathlib import Path
from typing import Annotated

from bench.config.compute import Compute
from bench.config.settings import Count, Natural
from bench.corpus.texts import open_passages
from bench.encoder import checkpoint
from bench.encoder.encode import encode_measured
from bench.errors import SettingsError
from bench.files.provenance import context
from bench.index.shards import write_shard
from bench.machine.progress import bar
from bench.verbs.common import Flat, prepare_torch


def encode(
    *,
    model: Path,
    corpus: Path,
    shard: Natural,
    passages_per_shard: Count,
    doc_maxlen: Count,
    compute: Annotated[Compute, Flat],
    output: Path,
) -> None:
    """Encode one shard of a corpus to token vectors.

    :param model: Model folder.
    :param corpus: Corpus folder.
    :param shard: Number of the shard, from 0.
    :param passages_per_shard: Passages in every shard but the last.
    :param doc_maxlen: Tokens of a passage, markers included.
    :param output: Shard folder to write.
    """
    prepare_torch(compute.threads, device=compute.device)
    passages = open_passages(corpus)
    start = shard * passages_per_shard
    stop = min(start + passages_per_shard, len(passages))
    if start >= stop:
        raise SettingsError(f"shard {shard} of {corpus} would start at passage {start} of {len(passages)}")
    encoder, manifest = checkpoint.load(model)
    encoder.to(compute.device)
    texts = [text.text for text in passages.slice(start, stop)]
    how = {"precision": compute.precision, "device": compute.device}
    with bar(f"encode {model.name} {corpus.parent.name} {shard}", len(texts), "passages") as progress:
        encoded = encode_measured(encoder, texts, maxlen=doc_maxlen, **how, progress=progress.update)
    settings = {
        "shard": shard,
        "passages_per_shard": passages_per_shard,
        "doc_maxlen": doc_maxlen,
        "precision": compute.precision,
        "threads": compute.threads,
    }
    inputs = {"corpus": passages.manifest.digest, "model": manifest.digest}
    write_shard(output, *encoded, settings=settings, inputs=inputs, context=context(__name__))
    print(f"shard {shard}: {len(texts)} passages, {len(encoded.vectors)} vectors of {encoder.dim}")
