"""Out-of-memory errors, reported with the settings that would prevent them."""

import contextlib
from collections.abc import Iterator

import torch

from bench.training.errors import TrainingError

CPU_ALLOCATOR = ("can't allocate memory", "not enough memory", "cannot allocate memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Return True for out-of-memory errors of a device or of the CPU; torch has no exception class for the CPU."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in CPU_ALLOCATOR)


@contextlib.contextmanager
def naming_what_to_lower(step: int, micro_batch: int, device: str) -> Iterator[None]:
    """Convert an out-of-memory error within one step into a TrainingError that names the setting to lower."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        advice = "lower micro_batch" if micro_batch > 1 else "lower nway (passages per query), then doc_maxlen"
        first_line = str(error).split("\n", 1)[0]
        raise TrainingError(
            f"out of memory on {device} at step {step} with micro_batch {micro_batch}: {advice} ({first_line})"
        ) from error
