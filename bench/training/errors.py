"""Errors that stop a training run."""

from bench.errors import BenchError


class TrainingError(BenchError):
    """A training step that cannot be taken: the loss or its gradient is not finite, or memory is insufficient."""
