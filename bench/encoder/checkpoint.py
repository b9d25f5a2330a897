"""Model folders: safetensors weights (``bert.*``, ``linear.weight``), tokenizer and one JSON file with usage settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from bench.config.inputs import InputSettings
from bench.encoder.foreign import architecture, check_finite, read_tensors, read_tokenizer
from bench.encoder.inputs import Inputs
from bench.encoder.model import Encoder, LateInteraction, Layer, MeanPooling, with_layers
from bench.errors import DamagedFileError
from bench.files.opening import open_folder
from bench.files.space import check_free
from bench.files.storage import FolderWriter, Manifest, atomic, read_json, write_json

VERSION = 1
WEIGHTS = "model.safetensors"
SETTINGS = "colbert.json"


def save(encoder: Encoder, folder: Path, **manifest: Mapping[str, Any]) -> Manifest:
    """Write a model folder. No file in the folder is pickled."""
    tensors = {name: tensor.contiguous() for name, tensor in encoder.state_dict().items()}
    check_finite(tensors, folder)
    writer = FolderWriter(folder, "model", VERSION)
    check_free(folder, sum(tensor.nbytes for tensor in tensors.values()), str(folder / WEIGHTS))
    with atomic(writer.path(WEIGHTS)) as temporary:
        safetensors.torch.save_file(tensors, temporary, metadata={"format": "pt"})
    encoder.bert.config.save_pretrained(folder)
    tokenizer_files = encoder.inputs.tokenizer.save_pretrained(folder)
    for name in ("config.json", *(Path(file).name for file in tokenizer_files)):
        writer.path(name)
    settings: dict[str, Any] = {"kind": encoder.kind, "dim": encoder.dim, "inputs": encoder.inputs.settings.stored()}
    if isinstance(encoder, LateInteraction) and encoder.described_layers is not None:
        settings["layers"] = encoder.described_layers
    write_json(writer.path(SETTINGS), settings)
    return writer.close(**manifest)


def load(folder: Path) -> tuple[Encoder, Manifest]:
    """Return the encoder of a model folder (float32, evaluation mode) and the manifest of the folder."""
    manifest = open_folder(folder, "model", VERSION, "project|pool|convert|train", [WEIGHTS, SETTINGS, "config.json"])
    settings = read_json(folder / SETTINGS)
    if not isinstance(settings, dict) or not {"kind", "dim", "inputs"} <= set(settings):
        raise DamagedFileError(f"{folder / SETTINGS} does not say kind, dim and inputs; rebuild the folder")
    bert = architecture(folder)
    tokenizer, tensors = read_tokenizer(folder), read_tensors(folder / WEIGHTS)
    inputs = InputSettings.parse(settings["inputs"], f"inputs of {folder / SETTINGS}")
    encoder: Encoder
    if settings["kind"] == LateInteraction.kind:
        plain = [{"inputs": bert.config.hidden_size, "outputs": settings["dim"]}]
        layers = [Layer(**layer) for layer in settings.get("layers", plain)]
        encoder = with_layers(bert, tokenizer, layers, inputs)
    else:
        encoder = MeanPooling(bert, Inputs(tokenizer, inputs, bert)).eval()
    fill(encoder, tensors, folder / WEIGHTS)
    return encoder, manifest


def fill(encoder: nn.Module, tensors: Mapping[str, torch.Tensor], source: Path) -> None:
    """Copy tensors into the encoder. Raise DamagedFileError unless names and shapes are exactly those of the encoder."""
    wanted = {name: tuple(tensor.shape) for name, tensor in encoder.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if wanted != found:
        name = sorted(set(wanted.items()) ^ set(found.items()))[0][0]
        raise DamagedFileError(
            f"{source}: tensor {name} has the shape {found.get(name, 'missing')}, "
            f"the model's settings ask for {wanted.get(name, 'none of that name')}"
        )
    encoder.load_state_dict(dict(tensors))
