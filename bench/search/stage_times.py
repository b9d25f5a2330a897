"""Where the time of a query goes, and how much work each stage does."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol


class Watch(Protocol):
    """What an engine calls after each stage, with the name of the stage and the work it did for one query or several.

    candidates: passages found in the probed lists; interactions: passages scored by their centroids alone; scored: passages
    scored by their decoded or uncompressed vectors.
    """

    def __call__(self, stage: str, /, **work: int) -> None: ...


def unwatched(stage: str, /, **work: int) -> None:
    """A watch that keeps nothing."""


class StageTimes:
    """A watch: ``seconds`` by stage, added up over queries that are searched one after the other."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter):
        self.clock = clock
        self.seconds: dict[str, float] = {}
        self.restart()

    def restart(self) -> None:
        """Let the first stage of the next query begin now."""
        self.last = self.clock()

    def __call__(self, stage: str, /, **_work: int) -> None:
        now = self.clock()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self.last
        self.last = now


class StageWork:
    """A watch: ``work`` by kind, added up over all queries, which several threads may search."""

    def __init__(self) -> None:
        self.work: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __call__(self, _stage: str, /, **work: int) -> None:
        with self._lock:
            self.work.update(work)
