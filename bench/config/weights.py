"""Names of pretrained weights: a local folder, an installed package, or a hub id, which counts at one revision only."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import SettingsError


def is_hub_id(name: str) -> bool:
    return not (name.startswith(("/", ".", "~")) or Path(name).is_dir())


def check_revision(name: str, revision: str | None, where: str) -> str:
    """The revision of a hub id; raises SettingsError unless it is a full one."""
    if revision is None or not re.fullmatch(r"[0-9a-f]{40}", revision):
        raise SettingsError(
            f"revision {revision!r} of {where} {name!r} is not 40 hex digits; pin the commit of the weights, in quotes"
        )
    return revision


def check_weights(values: Mapping[str, Any], where: str) -> None:
    """Raise SettingsError where weights in a config come from a hub and are not pinned."""
    if values.get("package") is None and is_hub_id(values["name"]):
        check_revision(values["name"], values.get("revision"), where)
