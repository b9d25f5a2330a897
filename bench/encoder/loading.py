"""Late interaction models by their layout: the official one, or a model folder of ours."""

from pathlib import Path
from typing import Any

from bench.encoder import checkpoint, official
from bench.encoder.model import LateInteraction
from bench.errors import SettingsError
from bench.files.storage import MANIFEST

LENGTHS = ("query_maxlen", "doc_maxlen")


def load(folder: Path) -> tuple[LateInteraction, dict[str, Any]]:
    """The encoder, and the lengths that it was trained with; a model that was not trained here knows none.

    Raises SettingsError for a model with one vector per text, DamagedFileError for a folder of neither layout.
    """
    if not (folder / MANIFEST).exists():
        usage = official.usage(folder)
        return official.load(folder), {name: getattr(usage, name) for name in LENGTHS}
    encoder, manifest = checkpoint.load(folder)
    if not isinstance(encoder, LateInteraction):
        raise SettingsError(f"{folder} is a model with one vector per text, not a late interaction checkpoint")
    return encoder, {name: manifest.settings[name] for name in LENGTHS if name in manifest.settings}
