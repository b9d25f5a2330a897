"""Official checkpoints, such as colbert-ir/colbertv2.0, in the layout that colbert-ai 0.2 writes and reads.

A folder holds BERT's weights with the prefix ``bert.`` and ``linear.weight [dim, hidden]`` without bias, in
``model.safetensors`` or ``pytorch_model.bin``; ``config.json`` and a tokenizer; and ``artifact.metadata``, a JSON file with
all training settings, of which only a few describe how the checkpoint is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.config.inputs import InputSettings
from bench.encoder.base import found_weights
from bench.encoder.checkpoint import fill
from bench.encoder.foreign import POOLER, architecture, read_settings, read_tensors, read_tokenizer
from bench.encoder.inputs import positions
from bench.encoder.model import LateInteraction, Layer, with_layers
from bench.errors import DamagedFileError, SettingsError

METADATA = "artifact.metadata"
LENGTHS = ("query_maxlen", "doc_maxlen")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
SAID = {
    "dim": int,
    "query_maxlen": int,
    "doc_maxlen": int,
    "query_token_id": str,
    "doc_token_id": str,
    "mask_punctuation": bool,
    "attend_to_mask_tokens": bool,
    "similarity": str,
}
ONLY = {"similarity": "cosine", "relu": False, "interaction": "colbert"}  # the only values that this encoder supports
UNUSED = ("bert.embeddings.position_ids", "bert.embeddings.token_type_ids")  # buffers that older versions stored


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How a checkpoint has to be used, according to its ``artifact.metadata``.

    query_maxlen, doc_maxlen: maximum numbers of tokens in training; a data set may require other lengths.
    """

    dim: int
    query_maxlen: int
    doc_maxlen: int
    inputs: InputSettings


def usage(folder: Path) -> Usage:
    """Return the usage of a checkpoint. Raise DamagedFileError for missing settings, SettingsError for unsupported ones."""
    path = folder / METADATA
    values = read_settings(path)
    for name, kind in SAID.items():
        if type(values.get(name)) is not kind:
            raise DamagedFileError(f"{path} has {name} {values.get(name)!r}, expected {kind.__name__}")
    for name, only in ONLY.items():
        if values.get(name, only) != only:
            raise SettingsError(f"{path} has {name} {values[name]!r}; vectors here are compared with {name} {only!r} alone")
    inputs = InputSettings(
        query_marker=values["query_token_id"],
        doc_marker=values["doc_token_id"],
        pad_queries=True,
        attend_to_mask_tokens=values["attend_to_mask_tokens"],
        drop_punctuation=values["mask_punctuation"],
    )
    return Usage(**{name: values[name] for name in ("dim", *LENGTHS)}, inputs=inputs)


def load(folder: Path) -> LateInteraction:
    """Return the encoder of a checkpoint (float32, evaluation mode). Nothing but tensors is unpickled.

    Raise DamagedFileError for tensors that are missing, unknown or of a shape that differs from the metadata.
    """
    said = usage(folder)
    bert = architecture(folder)
    check_lengths({name: getattr(said, name) for name in LENGTHS}, positions(bert), folder / METADATA)
    layer = Layer(inputs=bert.config.hidden_size, outputs=said.dim)
    encoder = with_layers(bert, read_tokenizer(folder), [layer], said.inputs)
    source = found_weights(folder, WEIGHTS)
    if source is None:
        raise DamagedFileError(f"{folder} has neither of {list(WEIGHTS)}")
    unused = (*UNUSED, f"bert.{POOLER}")
    fill(encoder, {name: tensor for name, tensor in read_tensors(source).items() if not name.startswith(unused)}, source)
    return encoder


def check_lengths(lengths: Mapping[str, int], most: int | None, source: Path) -> None:
    """Raise DamagedFileError for a length that the network of a checkpoint has no positions for."""
    for name, length in lengths.items():
        if most is not None and length > most:
            raise DamagedFileError(f"{source} has {name} {length}, its network takes {most} tokens at most")
