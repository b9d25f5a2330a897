"""Flags that several verbs share, and the limits that they set on numerical libraries."""

import os
import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path

from bench.machine import devices


def add_compute(parser: ArgumentParser) -> None:
    """Precision, threads and device of a verb that runs the network."""
    parser.add_argument("--precision", choices=("float32", "bfloat16"), required=True, help="of matrix products")
    add_threads(parser)
    parser.add_argument("--device", default="cpu", help="torch device; of cuda the first one that is free")


def add_threads(parser: ArgumentParser) -> None:
    parser.add_argument("--threads", type=int, required=True, help="threads of this process; part of the result")


def add_kernel_device(parser: ArgumentParser) -> None:
    """Device of a verb with Triton kernels."""
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: by Triton's kernels")


def add_output(parser: ArgumentParser, what: str) -> None:
    parser.add_argument("--output", type=Path, required=True, help=what)


def add_deviations(parser: ArgumentParser) -> None:
    helped = "what differs from the protocol, for the tables"
    parser.add_argument("--deviations", type=named, nargs="*", default=[], metavar="KEY=TEXT", help=helped)


def named(text: str) -> tuple[str, str]:
    """The two parts of NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def take_device(device: str) -> None:
    """Where a verb asks for ``cuda``, wait for one device of this machine that no other process of ours has."""
    if device == "cuda":
        import torch

        devices.take(torch.cuda.device_count)


def prepare_torch(threads: int, seed: int = 0, device: str = "cpu") -> None:
    """Fix threads, seed and device, and keep transformers from printing bars and advice of its own."""
    take_device(device)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    import transformers

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()


def limit_threads(threads: int) -> None:
    """Fix the threads of the matrix products of numpy and, where it is loaded, torch."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
