"""Where the Triton kernels can run. Triton is an optional package; this module checks for it before any import."""

import importlib.util
from typing import Any

import torch

from bench.errors import SettingsError

DEVICES = ("cpu", "cuda")
INTERPRETED = "set TRITON_INTERPRET=1 before Python starts"


def open_device(name: str = "cuda") -> torch.device:
    """Return the device for Triton kernels: cuda, or cpu for the interpreter of Triton, which is for tests.

    ``CUDA_VISIBLE_DEVICES`` selects one of several accelerators. Raise SettingsError if triton is not installed, if torch
    finds no accelerator, or for the cpu if kernels are not interpreted.
    """
    if name not in DEVICES:
        raise SettingsError(f"device {name!r} is not one of {list(DEVICES)}; CUDA_VISIBLE_DEVICES chooses among several")
    if importlib.util.find_spec("triton") is None:
        raise SettingsError(
            "Triton's kernels need the package triton, which is not installed; install it, or stay on the cpu"
        )
    if name == "cuda" and not torch.cuda.is_available():
        raise SettingsError(
            f"Triton's kernels need an accelerator, torch {torch.__version__} sees none; install a CUDA build of torch "
            "and look at CUDA_VISIBLE_DEVICES, or stay on the cpu"
        )
    if name == "cpu" and not interpreted():
        raise SettingsError(f"Triton's kernels run on the cpu in its interpreter alone; {INTERPRETED}")
    return torch.device(name)


def interpreted() -> bool:
    """Return whether Triton interprets kernels instead of compiling them."""
    import triton

    return bool(triton.knobs.runtime.interpret)


def moved(array: Any, device: torch.device) -> torch.Tensor:
    """Return a copy of a numpy array, which may be memory-mapped and read-only, on the device."""
    return torch.tensor(array, device=device)
