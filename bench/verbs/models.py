"""Flags that describe a model: its pretrained weights, and what it is fed with."""

from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from typing import Any

from bench.encoder.base import Base


def add_base(parser: ArgumentParser) -> None:
    """Pretrained weights."""
    parser.add_argument("--name", required=True, help="hub id or local folder")
    parser.add_argument("--revision", help="commit of the hub repository, 40 hex digits")
    parser.add_argument("--package", help="installed distribution that carries the same weights")
    parser.add_argument("--sha256", help="of model.safetensors")


def add_inputs(parser: ArgumentParser) -> None:
    """Where the inputs of a model differ from ColBERT's; ``none`` for a marker drops it."""
    parser.add_argument("--query-marker", help="vocabulary entry used as [Q]")
    parser.add_argument("--doc-marker", help="vocabulary entry used as [D]")
    for name in ("pad-queries", "attend-to-mask-tokens", "drop-punctuation"):
        parser.add_argument(f"--{name}", action=BooleanOptionalAction, default=None)


def inputs_given(args: Namespace) -> dict[str, Any]:
    """The input settings that were given on the command line, by field name."""
    names = ("query_marker", "doc_marker", "pad_queries", "attend_to_mask_tokens", "drop_punctuation")
    given = {name: getattr(args, name) for name in names if getattr(args, name) is not None}
    return {name: None if value == "none" else value for name, value in given.items()}


def base_given(args: Namespace) -> Base:
    return Base(name=args.name, revision=args.revision, package=args.package, sha256=args.sha256)
