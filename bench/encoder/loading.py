"""Loading of late interaction models, from an official checkpoint or from a model folder of this harness."""

from pathlib import Path
from typing import Any

from bench.encoder import checkpoint, official
from bench.encoder.model import LateInteraction
from bench.errors import SettingsError
from bench.files.storage import MANIFEST

LENGTHS = ("query_maxlen", "doc_maxlen")


def load(folder: Path) -> tuple[LateInteraction, dict[str, Any]]:
    """Return the encoder and the lengths of its training, which are empty if a model folder does not record them.

    Raise SettingsError for a model with one vector per text, and DamagedFileError for a folder of neither layout.
    """
    if not (folder / MANIFEST).exists():
        usage = official.usage(folder)
        return official.load(folder), {name: getattr(usage, name) for name in LENGTHS}
    encoder, manifest = checkpoint.load(folder)
    if not isinstance(encoder, LateInteraction):
        raise SettingsError(f"{folder} is a model with one vector per text, not a late interaction checkpoint")
    return encoder, {name: manifest.settings[name] for name in LENGTHS if name in manifest.settings}
