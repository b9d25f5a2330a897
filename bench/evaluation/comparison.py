"""The uncertainty of a number: seeded bootstrap intervals and paired randomization tests over queries."""

from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """Paired differences over queries.

    mean; low, high: its 95 % bootstrap interval; p: two-sided, of a randomization test; wins, ties, losses: numbers of
    queries; effect: mean over standard deviation (Cohen's d for paired samples), None where all differences are equal.
    """

    mean: float
    low: float
    high: float
    p: float
    wins: int
    ties: int
    losses: int
    effect: float | None


def interval(values: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """Return the percentile bootstrap interval (95 %, 10,000 resamples) of the mean of ``values [queries]``."""
    low, high = np.quantile(_resampled_means(values, rng), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def compare(differences: np.ndarray, rng: np.random.Generator) -> Difference:
    """Paired comparison of two systems from their differences over the same queries ``[queries]``.

    The test flips the sign of each difference at random (Fisher's randomization; Smucker et al., CIKM 2007). Its p
    counts the observed assignment too, so that it is never 0.
    """
    low, high = interval(differences, rng)
    observed = abs(differences.sum())
    extreme = 0
    for size in _batches(len(differences)):
        signs = rng.integers(0, 2, (size, len(differences)), dtype=np.int8) * 2 - 1
        extreme += int((np.abs(signs @ differences) >= observed - 1e-12).sum())
    mean, wins, losses = float(differences.mean()), int((differences > 0).sum()), int((differences < 0).sum())
    spread = float(differences.std(ddof=1)) if np.ptp(differences) else None
    return Difference(
        mean,
        low,
        high,
        p=(extreme + 1) / (RESAMPLES + 1),
        wins=wins,
        ties=len(differences) - wins - losses,
        losses=losses,
        effect=mean / spread if spread else None,
    )


def _resampled_means(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    parts = [
        values[rng.integers(0, len(values), (size, len(values)), dtype=np.int32)].mean(axis=1)
        for size in _batches(len(values))
    ]
    return np.concatenate(parts)


def _batches(queries: int) -> list[int]:
    """Return sizes of batches of resamples that keep their arrays below about 4 million entries."""
    size = max(1, min(RESAMPLES, 4_000_000 // max(queries, 1)))
    return [min(size, RESAMPLES - done) for done in range(0, RESAMPLES, size)]
