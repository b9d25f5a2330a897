"""Verdicts on paired differences: equivalent within a margin that was set beforehand, better, worse or undecided.

Equivalence is tested by two one-sided paired t-tests (TOST; Schuirmann, J. Pharmacokinet. Biopharm. 1987). It is shown at
5 % where both tests reject, which is where the 90 % interval of the mean difference lies inside the margin. Where a table
has several rows, Holm's procedure (Scand. J. Statist. 1979) corrects the p-values of each kind of test over the rows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from bench.errors import DataError, SettingsError

ALPHA = 0.05
POWER = 0.8
Verdict = Literal["equivalent within the margin", "better", "worse", "undecided"]


@dataclass(frozen=True)
class Equivalence:
    """low, high: 90 % interval of the mean difference; p: of the worse of both tests.

    queries_needed: for a power of 80 % to show equivalence, were the true difference 0 and the variance as observed.
    """

    low: float
    high: float
    p: float
    queries_needed: int

    @property
    def shown(self) -> bool:
        return self.p <= ALPHA


def equivalence(differences: np.ndarray, margin: float) -> Equivalence:
    """Test that the mean of ``differences [queries]`` lies within ``margin`` of 0.

    Raises SettingsError for a margin that is no finite number above 0, DataError for fewer than two queries.
    """
    if not (math.isfinite(margin) and margin > 0):
        raise SettingsError(f"margin {margin} is no finite number above 0; give the largest difference that does not matter")
    if len(differences) < 2:
        raise DataError(f"{len(differences)} queries show no equivalence; at least 2 are needed")
    mean, deviation = float(differences.mean()), float(differences.std(ddof=1))
    if deviation == 0:
        return Equivalence(mean, mean, 0.0 if abs(mean) < margin else 1.0, 2)
    above = stats.ttest_1samp(differences, -margin, alternative="greater").pvalue
    below = stats.ttest_1samp(differences, margin, alternative="less").pvalue
    error = deviation / math.sqrt(len(differences))
    half = float(stats.t.ppf(1 - ALPHA, len(differences) - 1)) * error
    needed = ((stats.norm.ppf(1 - ALPHA) + stats.norm.ppf((1 + POWER) / 2)) * deviation / margin) ** 2
    return Equivalence(mean - half, mean + half, float(max(above, below)), max(2, math.ceil(needed)))


def holm(values: Sequence[float | None]) -> list[float | None]:
    """Return p-values corrected over all tests of a family, in the order given; None marks a row without a test.

    The corrected value of the k-th smallest of n p-values is ``(n - k + 1) * p``, at most 1 and no less than the one before.
    """
    tested = sorted((p, place) for place, p in enumerate(values) if p is not None)
    found: list[float | None] = [None] * len(values)
    largest = 0.0
    for rank, (p, place) in enumerate(tested):
        largest = found[place] = max(largest, min(1.0, (len(tested) - rank) * p))
    return found


def verdict(mean: float, p: float, equivalence_p: float | None) -> Verdict:
    """Return the verdict on a mean difference from the p-values of both kinds of test, corrected if there are several rows.

    A difference that is shown to be both inside the margin and different from 0 is *equivalent within the margin*.
    """
    if equivalence_p is not None and equivalence_p <= ALPHA:
        return "equivalent within the margin"
    if p > ALPHA:
        return "undecided"
    return "better" if mean > 0 else "worse"
