"""How long a query takes: one protocol for every engine and for encoding, with the clock as an argument.

Every pass runs every query anew, one after the other; nothing is kept from one pass to the next. Passes go on until their
median is stable, and the last ``COUNTED`` of them are the measurement.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.errors import SettingsError
from bench.search.stage_times import StageTimes, Watch

Clock = Callable[[], float]
COUNTED = 3
PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """How often everything runs.

    warmup: passes that are not measured; least, most: passes that are; within: a pass whose median is at most this share
    above the lowest so far is stable. Raises SettingsError where ``least`` is below ``COUNTED`` or above ``most``.
    """

    warmup: int = 1
    least: int = COUNTED
    most: int = 10
    within: float = 0.02

    def __post_init__(self) -> None:
        if not COUNTED <= self.least <= self.most:
            raise SettingsError(
                f"{self.least} to {self.most} passes cannot be: give at least {COUNTED}, and no fewer at most"
            )


@dataclass(frozen=True)
class Timings:
    """seconds ``[COUNTED, queries]`` and the stages of each, of the last passes; medians: seconds, of every pass."""

    seconds: np.ndarray
    stages: Sequence[Sequence[dict[str, float]]]
    medians: Sequence[float]
    stable: bool


def measure(run: Callable[[int, Watch], object], queries: int, clock: Clock, repeats: Repeats) -> Timings:
    """Time ``run(query, watch)`` for each of the positions 0 to ``queries``, pass after pass, until that is stable."""
    for _ in range(repeats.warmup):
        _pass(run, queries, clock)
    passes: list[tuple[np.ndarray, list[dict[str, float]]]] = []
    medians: list[float] = []
    stable = False
    while len(medians) < repeats.least or (not stable and len(medians) < repeats.most):
        passes = [*passes[1 - COUNTED :], _pass(run, queries, clock)]
        medians.append(float(np.median(passes[-1][0])))
        stable = medians[-1] <= min(medians) * (1 + repeats.within)
    return Timings(np.array([seconds for seconds, _ in passes]), [stages for _, stages in passes], medians, stable)


def _pass(run: Callable[[int, Watch], object], queries: int, clock: Clock) -> tuple[np.ndarray, list[dict[str, float]]]:
    seconds, stages = np.empty(queries), []
    for query in range(queries):
        watch = StageTimes(clock)
        start = watch.last
        run(query, watch)
        seconds[query] = clock() - start
        stages.append(watch.seconds)
    return seconds, stages


def summary(timings: Timings) -> dict[str, Any]:
    """Milliseconds of a query, as records hold them.

    p50, p95, p99: over every timing of the counted passes, None where so few queries carry no such percentile (p99 needs
    100 of them); mean_best: mean over queries of each one's best pass; stages: the mean of each stage in these passes.
    """
    queries = timings.seconds.shape[1]
    best = timings.seconds.argmin(axis=0)
    return {
        "unit": "ms",
        "queries": queries,
        **{f"p{percent}": _percentile(timings.seconds, percent, queries) for percent in PERCENTILES},
        "mean_best": 1e3 * float(timings.seconds.min(axis=0).mean()),
        "stages": _mean_stages([timings.stages[chosen][query] for query, chosen in enumerate(best)]),
        "passes": len(timings.medians),
        "medians": [1e3 * median for median in timings.medians],
        "stable": timings.stable,
    }


def _percentile(seconds: np.ndarray, percent: int, queries: int) -> float | None:
    return 1e3 * float(np.percentile(seconds, percent)) if queries * (100 - percent) >= 100 else None


def _mean_stages(stages: Sequence[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for each in stages for name in each)
    return {name: 1e3 * sum(each.get(name, 0.0) for each in stages) / len(stages) for name in names}


def batch_rate(run: Callable[[], object], queries: int, clock: Clock) -> float:
    """Return queries per second of one call of ``run`` for all queries: the median of ``COUNTED`` after a warm-up."""
    run()
    return queries / statistics.median(seconds(run, clock)[1] for _ in range(COUNTED))


def seconds(run: Callable[[], Any], clock: Clock) -> tuple[Any, float]:
    """Return the result of ``run`` and its time in seconds."""
    start = clock()
    found = run()
    return found, clock() - start
