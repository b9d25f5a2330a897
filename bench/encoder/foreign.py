"""Files of other programs: a network, a tokenizer, tensors. Whatever cannot be read is refused in one line."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
import transformers

from bench.errors import BenchError, DamagedFileError, SettingsError
from bench.files.storage import read_json
from bench.machine.memory import is_short

SHOWN = 200
ONLY_LOCAL = {"local_files_only": True, "trust_remote_code": False}  # code that lies beside weights is never run
POOLER = "pooler."
AS_SAVED = ("TokenizersBackend", "PreTrainedTokenizerFast")  # classes that are nothing but tokenizer.json
TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model", "sentencepiece.bpe.model", "spiece.model")


@contextlib.contextmanager
def readable(path: Path, what: str) -> Iterator[None]:
    """Turn any error of a library into DamagedFileError with one line; tokenizers raises bare exceptions."""
    try:
        yield
    except (BenchError, MemoryError):
        raise
    except Exception as error:
        if is_short(error):
            raise MemoryError(f"{path}: {error}") from error
        reason = " ".join(str(error).split())[:SHOWN]
        raise DamagedFileError(f"{path} does not hold {what}, or is cut short ({type(error).__name__}: {reason})") from error


def read_settings(path: Path) -> dict[str, Any]:
    """Return the settings of a JSON file. Raise DamagedFileError for anything but a mapping."""
    values = read_json(path)
    if not isinstance(values, dict):
        raise DamagedFileError(f"{path} holds a {type(values).__name__}, expected a mapping of settings")
    return values


def read_config(folder: Path) -> transformers.PretrainedConfig:
    path = folder / "config.json"
    read_settings(path)
    if (folder / "adapter_config.json").exists():
        raise SettingsError(f"{folder} has adapter_config.json: merge the adapter into its network, and save that")
    with readable(path, "the settings of a network that runs without code of its own"):
        return transformers.AutoConfig.from_pretrained(folder, **ONLY_LOCAL)


def read_tokenizer(folder: Path) -> transformers.PreTrainedTokenizerBase:
    if not any((folder / name).exists() for name in TOKENIZERS):
        raise DamagedFileError(f"{folder} has no tokenizer; expected one of {', '.join(TOKENIZERS)}")
    path = folder / "tokenizer_config.json"
    said = read_settings(path) if path.exists() else {}
    # AutoTokenizer may take the class of the network's family instead, which splits words in its own way.
    as_saved = said.get("tokenizer_class") in AS_SAVED and (folder / "tokenizer.json").exists()
    kind = transformers.PreTrainedTokenizerFast if as_saved else transformers.AutoTokenizer
    with readable(folder, "a tokenizer"):
        return kind.from_pretrained(folder, **ONLY_LOCAL)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors or PyTorch file in float32. Nothing but tensors is unpickled."""
    with readable(path, "tensors alone"):
        stored = (
            safetensors.torch.load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    if not isinstance(stored, Mapping):
        raise DamagedFileError(f"{path} holds a {type(stored).__name__}, expected tensors by name")
    for name, tensor in stored.items():
        if not isinstance(tensor, torch.Tensor):
            raise DamagedFileError(f"{path} holds a {type(tensor).__name__} under {name!r}, expected a tensor")
    found = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in stored.items()}
    check_finite(found, path)
    return found


def check_finite(tensors: Mapping[str, torch.Tensor], source: Path) -> None:
    """Raise DamagedFileError for the first tensor with NaN or an infinity."""
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise DamagedFileError(f"{source}: tensor {name} has values that are not finite; take the weights anew")


def architecture(folder: Path) -> torch.nn.Module:
    """Return the network that ``config.json`` of a folder describes, with new weights and without pooling head."""
    config = read_config(folder)
    with readable(folder / "config.json", "the settings of a network"):
        return without_pooler(transformers.AutoModel.from_config(config, dtype=torch.float32, trust_remote_code=False))


def pretrained(folder: Path) -> torch.nn.Module:
    """Return the network of a folder with its weights (float32, evaluation mode, without pooling head).

    Raise DamagedFileError for weights that are missing, of another shape, not finite, or of more layers than the config.
    """
    config = read_config(folder)
    with readable(folder, "the weights of its network"):
        network, found = transformers.AutoModel.from_pretrained(
            folder, config=config, dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True, **ONLY_LOCAL
        )
    wanted = list(network.state_dict())
    check_loaded(found, folder, POOLER)
    layers = {re.sub(r"\d+", "#", name) for name in wanted}
    more = sorted(
        name for name in found["unexpected_keys"] if re.search(r"\d", name) and re.sub(r"\d+", "#", name) in layers
    )
    if more:
        raise DamagedFileError(
            f"{folder} has {more[0]} and {len(more) - 1} more weights that its config.json has no layer for"
        )
    check_finite(network.state_dict(), folder)
    return without_pooler(network.eval())


def check_loaded(found: Mapping[str, Any], folder: Path, *heads: str) -> None:
    """Raise DamagedFileError for weights that transformers drew at random; those of ``heads`` may be missing."""
    missing = sorted(name for name in found["missing_keys"] if not any(head in name for head in heads))
    if missing:
        raise DamagedFileError(f"{folder} lacks {missing[0]} and {len(missing) - 1} more weights of its network")
    if found["mismatched_keys"]:
        name, stored, wanted = sorted(found["mismatched_keys"])[0]
        raise DamagedFileError(
            f"{folder}: tensor {name} has the shape {tuple(stored)}, its config.json asks for {tuple(wanted)}"
        )


def without_pooler(network: Any) -> torch.nn.Module:
    if getattr(network, "pooler", None) is not None:
        network.pooler = None
    return network
