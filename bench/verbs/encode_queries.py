"""Encode a query set to token vectors."""

from pathlib import Path
from typing import Annotated

from bench.config.compute import Compute
from bench.config.settings import Count
from bench.corpus.texts import open_queries
from bench.encoder import checkpoint
from bench.encoder import encode as encoding
from bench.files.provenance import context
from bench.search.queries import write_query_vectors
from bench.verbs.common import Flat, prepare_torch


def encode_queries(
    *, model: Path, queries: Path, query_maxlen: Count, compute: Annotated[Compute, Flat], output: Path
) -> None:
    """Encode a query set to token vectors.

    :param model: Model folder.
    :param queries: Query folder.
    :param query_maxlen: Tokens of a query, markers included.
    :param output: Folder of query vectors to write.
    """
    prepare_torch(compute.threads, device=compute.device)
    asked = open_queries(queries)
    encoder, manifest = checkpoint.load(model)
    encoder.to(compute.device)
    texts = [text.text for text in asked.texts]
    how = {"precision": compute.precision, "device": compute.device}
    vectors = encoding.encode_queries(encoder, texts, maxlen=query_maxlen, **how)
    settings = {"query_maxlen": query_maxlen, "precision": compute.precision, "threads": compute.threads}
    inputs = {"queries": asked.manifest.digest, "model": manifest.digest}
    cut = encoder.inputs.cut_queries(texts, query_maxlen)
    ids = [text.id for text in asked.texts]
    write_query_vectors(output, vectors, ids, cut=cut, settings=settings, inputs=inputs, context=context(__name__))
    print(f"{len(vectors)} queries of {vectors.shape[1]} vectors of {vectors.shape[2]}, {cut} of them cut")
