"""Where and how a network runs."""

from bench.config.settings import Count, Precision, Settings


class Machine(Settings):
    """Threads and device of a process that runs a network."""

    threads: Count
    """Threads of this process; part of the result."""
    device: str = "cpu"
    """torch device; of cuda the first one that is free."""


class Compute(Machine):
    """The same, and its precision."""

    precision: Precision
    """Of matrix products."""
