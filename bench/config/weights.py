"""Where pretrained weights come from: a local folder, an installed package, or a hub, where a pinned revision is needed."""

import re
from pathlib import Path
from typing import Self

from pydantic import model_validator

from bench.config.settings import Count, Dim, Revision, Settings, Sha256
from bench.errors import SettingsError


class Weights(Settings):
    """Pretrained weights."""

    name: str
    """Hub id or local folder."""
    revision: Revision | None = None
    """Commit of the hub repository, 40 hex digits, in quotes in a config."""
    package: str | None = None
    """Installed distribution that carries the same weights, used instead of the hub."""
    sha256: Sha256 | None = None
    """Digest of the file of weights."""

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if self.package is None and is_hub_id(self.name):
            check_revision(self.name, self.revision, "the weights")
        return self


class Checkpoint(Settings):
    """A late interaction checkpoint, and what is expected of it; whatever is left out, the checkpoint decides."""

    name: str
    """Hub id or local folder."""
    revision: Revision | None = None
    """Commit of the hub repository, 40 hex digits, in quotes in a config."""
    sha256: Sha256 | None = None
    """Digest of model.safetensors or pytorch_model.bin."""
    dim: Dim
    """Dimensions of a token vector."""
    query_maxlen: Count | None = None
    """Tokens of a query in its training."""
    doc_maxlen: Count | None = None
    """Tokens of a passage in its training."""

    @property
    def weights(self) -> Weights:
        return Weights(name=self.name, revision=self.revision, sha256=self.sha256)

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        Weights(name=self.name, revision=self.revision)
        return self


def is_hub_id(name: str) -> bool:
    try:
        return not (name.startswith(("/", ".", "~")) or Path(name).is_dir())
    except OSError:  # a name that is too long for a folder
        return True


def check_revision(name: str, revision: str | None, where: str) -> str:
    """The revision of a hub id; raises SettingsError unless it is a full one."""
    if revision is None or not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise SettingsError(
            f"revision {revision!r} of {where} {name!r} is not 40 hex digits; pin the commit of the weights, in quotes"
        )
    return revision
