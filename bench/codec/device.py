"""Where Triton's kernels can run. Triton is an optional package: nothing imports it before this has looked."""

import importlib.util
from typing import Any

import torch

from bench.errors import SettingsError

DEVICES = ("cpu", "cuda")
INTERPRETED = "set TRITON_INTERPRET=1 before Python starts"


def open_device(name: str = "cuda") -> torch.device:
    """The device of that name for Triton's kernels: cuda, or cpu for Triton's interpreter, which is for tests.

    Which of several accelerators it is, ``CUDA_VISIBLE_DEVICES`` says. Raises SettingsError where triton is not installed,
    where torch sees no accelerator, and for the cpu where kernels are not interpreted.
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
    """Whether Triton interprets kernels instead of compiling them."""
    import triton

    return bool(triton.knobs.runtime.interpret)


def moved(array: Any, device: torch.device) -> torch.Tensor:
    """A copy of a numpy array, which may be memory-mapped and read-only, on the device."""
    return torch.tensor(array, device=device)
