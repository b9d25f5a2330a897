"""Flags that several verbs share, and the limits that they set on numerical libraries."""

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from bench.config.settings import Count
from bench.errors import SettingsError
from bench.files.storage import flush, make_folder
from bench.machine import devices

Flat = Parameter(name="*")  # of a group of settings: each of them is a flag of its own
Threads = Annotated[Count, Parameter(help="Threads of this process; part of the result.")]
KernelDevice = Annotated[Literal["cpu", "cuda"], Parameter(help="cuda: by Triton's kernels.")]
Deviations = Annotated[tuple[str, ...], Parameter(help="KEY=TEXT of what differs from the protocol, for the tables.")]


def pairs(flag: str, given: Sequence[str]) -> dict[str, str]:
    """Return NAME=VALUE of each word of a flag.

    Raise SettingsError for a word without a name or a value, and for a repeated name.
    """
    found: dict[str, str] = {}
    for text in given:
        name, _, value = text.partition("=")
        if not (name and value) or name in found:
            raise SettingsError(f"{flag} {text!r} of the command line is not NAME=VALUE, or repeats a name")
        found[name] = value
    return found


def refuse_existing(output: Path) -> None:
    """Raise SettingsError if the folder to write is there already."""
    if output.exists():
        raise SettingsError(f"--output {output} of the command line is there already; name a new folder")


@contextlib.contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """Yield a folder beside ``output`` that, flushed to disk, takes its name on success, and is removed on error."""
    partial = output.with_name(f".{output.name}.{os.getpid()}.partial")
    make_folder(partial)
    try:
        yield partial
        for path in (*partial.rglob("*"), partial):
            flush(path)
        partial.rename(output)
        flush(output.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def take_device(device: str) -> None:
    """Wait for one free device of this machine if a verb asks for ``cuda``."""
    if device == "cuda":
        import torch

        devices.take(torch.cuda.device_count)


def prepare_torch(threads: int, seed: int = 0, device: str = "cpu") -> None:
    """Set threads (of torch and of numpy), seed and device, and turn off the progress bars and advice of transformers."""
    take_device(device)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch
    import transformers

    limit_threads(threads)
    torch.manual_seed(seed)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()


def limit_threads(threads: int) -> None:
    """Set the threads of the matrix products of numpy and, if it is loaded, of torch."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
