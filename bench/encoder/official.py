"""Official checkpoints, such as colbert-ir/colbertv2.0, in the layout that colbert-ai 0.2 writes and reads.

A folder holds BERT's weights with the prefix ``bert.`` and ``linear.weight [dim, hidden]`` without bias, in
``model.safetensors`` or ``pytorch_model.bin``; ``config.json`` and a tokenizer; and ``artifact.metadata``, a JSON file with
all training settings, of which only a few describe how the checkpoint is used.
"""

from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import safetensors.torch
import torch
import transformers

from bench.config.inputs import InputSettings
from bench.config.weights import Weights
from bench.encoder.base import found_weights, locate
from bench.encoder.checkpoint import fill
from bench.encoder.model import LateInteraction, architecture, late_interaction
from bench.errors import DamagedFileError, SettingsError
from bench.files.storage import read_json

METADATA = "artifact.metadata"
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
UNUSED = {"bert.embeddings.position_ids", "bert.embeddings.token_type_ids"}  # buffers that older versions stored
POOLER = "bert.pooler."


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How a checkpoint has to be used, according to its ``artifact.metadata``.

    query_maxlen, doc_maxlen: maximum numbers of tokens in training; a data set may require other lengths.
    """

    dim: int
    query_maxlen: int
    doc_maxlen: int
    inputs: InputSettings


def find(base: Weights) -> Path:
    """Return the folder of a checkpoint with the weights in one format and the metadata; a hub id is downloaded."""
    return locate(base, WEIGHTS, (METADATA,))


def usage(folder: Path) -> Usage:
    """Return the usage of a checkpoint. Raise DamagedFileError for missing settings, SettingsError for unsupported ones."""
    path = folder / METADATA
    values = read_json(path)
    if not isinstance(values, dict):
        raise DamagedFileError(f"{path} holds a {type(values).__name__}, expected a mapping of settings")
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
    return Usage(**{name: values[name] for name in ("dim", "query_maxlen", "doc_maxlen")}, inputs=inputs)


def load(folder: Path) -> LateInteraction:
    """Return the encoder of a checkpoint (float32, evaluation mode). Nothing but tensors is unpickled.

    Raise DamagedFileError for tensors that are missing, unknown or of a shape that differs from the metadata.
    """
    said = usage(folder)
    bert = architecture(folder)
    for name in ("query_maxlen", "doc_maxlen"):
        if getattr(said, name) > bert.config.max_position_embeddings:
            raise DamagedFileError(
                f"{folder / METADATA} has {name} {getattr(said, name)}, its network takes "
                f"{bert.config.max_position_embeddings} tokens at most"
            )
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    encoder = late_interaction(bert, tokenizer, torch.empty(said.dim, bert.config.hidden_size), said.inputs)
    source = found_weights(folder, WEIGHTS)
    if source is None:
        raise DamagedFileError(f"{folder} has neither of {list(WEIGHTS)}")
    fill(encoder, {name: tensor.float() for name, tensor in _tensors(source).items()}, source)
    return encoder


def _tensors(source: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a weight file that belong to the encoder."""
    try:
        stored = (
            safetensors.torch.load_file(source)
            if source.suffix == ".safetensors"
            else torch.load(source, map_location="cpu", weights_only=True)
        )
    except (UnpicklingError, safetensors.SafetensorError, RuntimeError, EOFError) as error:
        raise DamagedFileError(f"{source} does not hold tensors alone, or is cut short: {error}") from error
    return {name: tensor for name, tensor in stored.items() if name not in UNUSED and not name.startswith(POOLER)}
