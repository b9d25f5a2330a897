"""Flags that several verbs share, and the loading of models with the library's own output silenced."""

import os
from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from pathlib import Path
from typing import Any

from bench.encoder.base import Base


def add_compute(parser: ArgumentParser) -> None:
    """Precision, threads and device of a verb that runs the network."""
    parser.add_argument("--precision", choices=("float32", "bfloat16"), required=True, help="of matrix products")
    add_threads(parser)
    parser.add_argument("--device", default="cpu", help="torch device")


def add_threads(parser: ArgumentParser) -> None:
    parser.add_argument("--threads", type=int, required=True, help="threads of this process; part of the result")


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


def add_output(parser: ArgumentParser, what: str) -> None:
    parser.add_argument("--output", type=Path, required=True, help=what)


def prepare_torch(threads: int, seed: int = 0) -> None:
    """Fix threads and seed, and keep transformers from printing bars and advice of its own."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    import transformers

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()


def limit_threads(threads: int) -> None:
    """Fix the threads of numpy's and FAISS's matrix products."""
    import faiss
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    faiss.omp_set_num_threads(threads)
