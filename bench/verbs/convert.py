"""Make a model from a late interaction checkpoint: in the official layout, or a model folder of another run."""

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.encoder import checkpoint, official
from bench.encoder.model import LateInteraction
from bench.errors import SettingsError
from bench.files.provenance import context
from bench.files.storage import MANIFEST
from bench.verbs import common, models

LENGTHS = ("query_maxlen", "doc_maxlen")


def arguments(parser: ArgumentParser) -> None:
    models.add_base(parser)
    models.add_inputs(parser)
    parser.add_argument("--dim", type=int, required=True, help="dimensions of a token vector, which it must have")
    parser.add_argument("--query-maxlen", type=int, help="tokens of a query that it must have been trained with")
    parser.add_argument("--doc-maxlen", type=int, help="tokens of a passage that it must have been trained with")
    common.add_output(parser, "model folder to write")


def run(args: Namespace) -> None:
    common.prepare_torch(threads=1)
    folder = official.find(models.base_given(args))
    encoder, lengths = _ours(folder) if (folder / MANIFEST).exists() else _official(folder)
    wanted = {name: getattr(args, name) for name in ("dim", *LENGTHS) if getattr(args, name) is not None}
    _check({"dim": encoder.dim, **lengths, **vars(encoder.inputs.settings)}, wanted | models.inputs_given(args), folder)
    settings = {"base": args.name, "revision": args.revision, "sha256": args.sha256, "dim": encoder.dim, **lengths}
    manifest = checkpoint.save(encoder, args.output, settings=settings, context=context(__name__))
    print(f"{args.name}: {encoder.dim} dimensions, trained with {lengths}; digest {manifest.digest[:16]}")


def _official(folder: Path) -> tuple[LateInteraction, dict[str, Any]]:
    """The encoder, and the lengths that it was trained with."""
    said = official.usage(folder)
    return official.load(folder), {name: getattr(said, name) for name in LENGTHS}


def _ours(folder: Path) -> tuple[LateInteraction, dict[str, Any]]:
    """The same of a folder of ours, which knows its lengths where it was trained here."""
    encoder, manifest = checkpoint.load(folder)
    if not isinstance(encoder, LateInteraction):
        raise SettingsError(f"{folder} is a model with one vector per text, not a late interaction checkpoint")
    return encoder, {name: manifest.settings[name] for name in LENGTHS if name in manifest.settings}


def _check(said: Mapping[str, Any], wanted: Mapping[str, Any], folder: Path) -> None:
    """Raise SettingsError where a config says something else than the checkpoint does; it may leave anything unsaid."""
    for name, value in wanted.items():
        if value != said.get(name, "unknown"):
            raise SettingsError(
                f"{name} is {value!r} in the config, but {said.get(name, 'unknown')!r} in {folder}, which was made that "
                f"way; leave {name} out of the config, or name another checkpoint"
            )
