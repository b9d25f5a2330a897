"""A late interaction model to encode with."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import transformers

from bench.config.settings import Precision
from bench.config.weights import Weights
from bench.encoder import loading
from bench.encoder.encode import Encoded, encode_measured, encode_queries
from bench.encoder.model import LateInteraction
from bench.machine.progress import bar

QUERY_MAXLEN, DOC_MAXLEN = 32, 180  # of a model that does not know its own (arXiv 2112.01488, appendix B)


@dataclass(frozen=True, repr=False)
class Model:
    """A model and how it is used. source: the name that it was loaded by; lengths: tokens, markers included."""

    encoder: LateInteraction
    source: str
    query_maxlen: int
    doc_maxlen: int
    precision: Precision
    device: str

    @property
    def dim(self) -> int:
        """Dimensions of a token vector."""
        return self.encoder.dim

    def encode_passages(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Token vectors ``[vectors, dim]`` float16 of norm 1 in the order of the texts, and ``doclens [texts]`` int32."""
        return self.encode_measured(texts)[:2]

    def encode_measured(self, texts: Sequence[str], maxlen: int | None = None) -> Encoded:
        """The arrays of ``encode_passages``, with lengths and token ids. maxlen: tokens, ``doc_maxlen`` if absent."""
        how = {"precision": self.precision, "device": self.device}
        with bar("encode", len(texts), "passages") as progress:
            return encode_measured(self.encoder, texts, maxlen=maxlen or self.doc_maxlen, progress=progress.update, **how)

    def encode_queries(self, texts: Sequence[str]) -> np.ndarray:
        """Token vectors ``[queries, query vectors, dim]`` float32; the rows of shorter queries end in zero vectors."""
        how = {"precision": self.precision, "device": self.device}
        return encode_queries(self.encoder, texts, maxlen=self.query_maxlen, **how)

    def encode(self, texts: str | Sequence[str], *, queries: bool = False) -> list[np.ndarray]:
        """Token vectors ``[vectors, dim]`` float32 of each text, as passages or as queries, without padding."""
        several = [texts] if isinstance(texts, str) else list(texts)
        if not several:
            return []
        if queries:
            return [vectors[vectors.any(axis=1)] for vectors in self.encode_queries(several)]
        vectors, doclens = self.encode_passages(several)
        return np.split(vectors.astype(np.float32), np.cumsum(doclens)[:-1])

    def __repr__(self) -> str:
        markers = self.encoder.inputs.settings
        return (
            f"Model({self.source!r}, dim={self.dim}, query_maxlen={self.query_maxlen}, doc_maxlen={self.doc_maxlen}, "
            f"query_marker={markers.query_marker!r}, doc_marker={markers.doc_marker!r}, precision={self.precision!r}, "
            f"device={self.device!r})"
        )


def load_model(
    name: str | os.PathLike[str],
    *,
    revision: str | None = None,
    query_maxlen: int | None = None,
    doc_maxlen: int | None = None,
    precision: Precision = "float32",
    device: str = "cpu",
) -> Model:
    """Load a late interaction model: a folder in the official layout, PyLate's or ours, or a hub id at a revision.

    revision: commit of the hub repository, 40 hex digits; a hub id needs it. Lengths default to those of the training.
    Raises SettingsError for a hub id without a revision or a folder that is not there, DamagedFileError for a checkpoint
    that is incomplete or of another layout.
    """
    weights = Weights.parse({"name": os.fspath(name), "revision": revision}, "load_model")
    transformers.utils.logging.disable_progress_bar()
    encoder, lengths = loading.load(loading.find(weights))
    lengths |= {key: value for key, value in (("query_maxlen", query_maxlen), ("doc_maxlen", doc_maxlen)) if value}
    return Model(
        encoder.to(device),
        str(Path(name)) if Path(name).is_dir() else str(name),
        lengths.get("query_maxlen", QUERY_MAXLEN),
        lengths.get("doc_maxlen", DOC_MAXLEN),
        precision,
        device,
    )
