"""Make a model from a late interaction checkpoint: in the official layout, PyLate's, or our own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from bench.config.inputs import InputSettings
from bench.config.weights import Checkpoint
from bench.encoder import checkpoint as ours
from bench.encoder import loading
from bench.errors import SettingsError
from bench.files.provenance import context
from bench.verbs.common import Flat, prepare_torch


def convert(
    *,
    checkpoint: Annotated[Checkpoint, Flat],
    inputs: Annotated[InputSettings, Flat] = InputSettings(),
    output: Path,
) -> None:
    """Make a model from a late interaction checkpoint: in the official layout, PyLate's, or our own.

    :param output: Model folder to write.
    """
    prepare_torch(threads=1)
    folder = loading.find(checkpoint.weights)
    encoder, lengths = loading.load(folder)
    wanted = {name: getattr(checkpoint, name) for name in ("dim", *loading.LENGTHS)}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    _check({"dim": encoder.dim, **lengths, **encoder.inputs.settings.model_dump()}, wanted | inputs.given(), folder)
    named = {"base": checkpoint.name, "revision": checkpoint.revision, "sha256": checkpoint.sha256}
    manifest = ours.save(encoder, output, settings={**named, "dim": encoder.dim, **lengths}, context=context(__name__))
    print(f"{checkpoint.name}: {encoder.dim} dimensions, trained with {lengths}; digest {manifest.digest[:16]}")


def _check(found: Mapping[str, Any], wanted: Mapping[str, Any], folder: Path) -> None:
    """Raise SettingsError where a config and the checkpoint differ; the config may leave anything out."""
    for name, value in wanted.items():
        if value != found.get(name, "unknown"):
            raise SettingsError(
                f"{name} is {value!r} in the config, but {found.get(name, 'unknown')!r} in {folder}, which was made that "
                f"way; leave {name} out of the config, or name another checkpoint"
            )
