"""Whether two systems are the same within a margin that was set beforehand: two one-sided paired t-tests (TOST).

Schuirmann, J. Pharmacokinet. Biopharm. 1987: equivalence is shown at 5 % where both tests reject, which is where the 90 %
interval of the mean difference lies inside the margin.
"""

import math
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


def verdict(low: float, high: float, found: Equivalence | None) -> Verdict:
    """In words: equivalent where that is shown, else better or worse where the 95 % interval lies beyond 0."""
    if found is not None and found.shown:
        return "equivalent within the margin"
    if low > 0:
        return "better"
    return "worse" if high < 0 else "undecided"
