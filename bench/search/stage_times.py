"""Time and work of each stage of a query."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol


class Watch(Protocol):
    """The interface of a watch, which an engine calls after each stage with the name of the stage and its work.

    The work is of one query or of several. candidates: passages in the probed lists; interactions: passages scored by their
    centroids alone; scored: passages scored by their decoded or uncompressed vectors.
    """

    def __call__(self, stage: str, /, **work: int) -> None: ...


def unwatched(stage: str, /, **work: int) -> None:
    """A watch that keeps nothing."""


class StageTimes:
    """A watch with ``seconds`` by stage, summed over queries that are searched one after the other."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter):
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self.restart()

    def restart(self) -> None:
        """Start the first stage of the next query now."""
        self.last = self.clock()

    def __call__(self, stage: str, /, **_work: int) -> None:
        now = self.clock()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self.last
        self.last = now


class StageWork:
    """A watch with ``work`` by kind, summed over all queries; several threads may call it."""

    def __init__(self) -> None:
        self.work: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, _stage: str, /, **work: int) -> None:
        with self._lock:
            self.work.update(work)
