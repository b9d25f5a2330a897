"""Loading of late interaction models: official checkpoints, PyLate's, and model folders of this harness."""

from pathlib import Path
from typing import Any

from bench.config.weights import Weights
from bench.encoder import checkpoint, official, pylate
from bench.encoder.base import locate
from bench.encoder.model import LateInteraction
from bench.errors import DamagedFileError, SettingsError
from bench.files.storage import MANIFEST

LENGTHS = official.LENGTHS
WEIGHTS = official.WEIGHTS
FILES = (official.METADATA, *pylate.FILES)  # beside the weights, the tokenizer and all JSON files


def find(base: Weights) -> Path:
    """Return the folder of a checkpoint with the weights in one format; a hub id is downloaded."""
    return locate(base, WEIGHTS, FILES)


def load(folder: Path) -> tuple[LateInteraction, dict[str, Any]]:
    """Return the encoder and the lengths of its training, which are empty if a model folder does not record them.

    Raise SettingsError for a model with one vector per text, and DamagedFileError for a folder of no known layout.
    """
    if (folder / MANIFEST).exists():
        encoder, manifest = checkpoint.load(folder)
        if not isinstance(encoder, LateInteraction):
            raise SettingsError(f"{folder} is a model with one vector per text, not a late interaction checkpoint")
        return encoder, {name: manifest.settings[name] for name in LENGTHS if name in manifest.settings}
    if (folder / pylate.MODULES).exists():
        return pylate.load(folder)
    if (folder / official.METADATA).exists():
        usage = official.usage(folder)
        return official.load(folder), {name: getattr(usage, name) for name in LENGTHS}
    raise DamagedFileError(
        f"{folder} has none of {MANIFEST} (a model of this harness), {pylate.MODULES} (PyLate's layout) and "
        f"{official.METADATA} (the official layout): it is no late interaction checkpoint"
    )
