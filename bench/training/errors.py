"""What stops a training run."""

from bench.errors import BenchError


class TrainingError(BenchError):
    """A step that cannot be taken: the loss or its gradient is no number, or memory is too small."""
