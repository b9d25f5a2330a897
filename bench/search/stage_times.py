"""Where the time of a query goes."""

import time
from collections.abc import Callable

Watch = Callable[[str], None]


def unwatched(stage: str) -> None:
    """Called after each stage with its name; this one looks away."""


class StageTimes:
    """A watch: ``seconds`` by stage, added up over queries that are searched one after the other."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter):
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self.restart()

    def restart(self) -> None:
        """Let the first stage of the next query begin now."""
        self.last = self.clock()

    def __call__(self, stage: str) -> None:
        now = self.clock()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self.last
        self.last = now
