"""The processes that train one model jointly, one process per device, through ``accelerate``."""

import datetime
import os
from dataclasses import dataclass
from typing import Any

import torch

from bench.errors import SettingsError

LONGEST_WAIT = datetime.timedelta(hours=6)  # the other processes wait while the first one validates


@dataclass(frozen=True)
class Processes:
    """The current process: ``rank`` of ``count`` processes, on ``device``; accelerator is None for a single process."""

    rank: int = 0
    count: int = 1
    device: str = "cpu"
    accelerator: Any = None

    @property
    def first(self) -> bool:
        """True in the only process that writes files."""
        return self.rank == 0

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sum of a tensor over all processes; the tensor has the same shape in each process."""
        return values if self.accelerator is None else self.accelerator.reduce(values, reduction="sum")

    def add_gradients(self, parameters: list[torch.nn.Parameter]) -> None:
        """Replace the gradient of each parameter by its sum over all processes, in one message.

        Each process weights its own gradients before the sum, so that uneven and empty parts of a batch count by their
        number of queries. Averaging wrappers (DistributedDataParallel) would give all parts the same weight.
        """
        if self.accelerator is None:
            return
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        summed = self.total(torch.cat([parameter.grad.flatten() for parameter in parameters if parameter.grad is not None]))
        for parameter, part in zip(parameters, summed.split([each.numel() for each in parameters]), strict=True):
            parameter.grad = part.view_as(parameter)

    def gathered(self, value: Any) -> list[Any]:
        """Return the values of all processes, in the order of their ranks."""
        if self.accelerator is None:
            return [value]
        from accelerate.utils import gather_object

        return list(gather_object([value]))

    def wait(self) -> None:
        """Block until all processes have reached this call."""
        if self.accelerator is not None:
            self.accelerator.wait_for_everyone()


ALONE = Processes()


def open_processes(device: str) -> Processes:
    """Return the processes that ``accelerate launch`` or ``torchrun`` started (from the environment), or a single process.

    Several processes use one CUDA device each (NCCL), or the CPU (gloo); the number of threads is preserved. Raise
    SettingsError for any other device, and for a device with a number.
    """
    if device not in ("cpu", "cuda"):
        raise SettingsError(f"device {device!r} of the command line is not cpu or cuda; CUDA_VISIBLE_DEVICES says which one")
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Processes(device=device)
    from accelerate import Accelerator, InitProcessGroupKwargs

    threads = torch.get_num_threads()
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    waiting = InitProcessGroupKwargs(timeout=LONGEST_WAIT)
    accelerator = Accelerator(cpu=device == "cpu", kwargs_handlers=[waiting])
    torch.set_num_threads(threads)
    if accelerator.device.type != device:
        raise SettingsError(f"device {device!r} of the command line cannot be had: accelerate found {accelerator.device}")
    return Processes(accelerator.process_index, accelerator.num_processes, device, accelerator)
