"""The Gaussian source with the covariance of given vectors: its least squared error at a rate, and the channel that has it.

Reverse water-filling over independent components, and the test channel: Cover & Thomas, Elements of Information Theory
(2nd ed., 2006), sections 10.3.2 and 10.3.3. Of all sources with one covariance the Gaussian one is the hardest to code, so
that a code which knows more of the vectors than their covariance can do better.
"""

from dataclasses import dataclass

import numpy as np

from bench.errors import DataError

RANK = 1e-12  # a component with a smaller share of the largest variance has none but rounding


@dataclass(frozen=True)
class Source:
    """mean ``[dim]``; variances ``[dim]`` of the independent components, largest first; axes ``[dim, dim]``, a column of
    each component; float64.
    """

    mean: np.ndarray
    variances: np.ndarray
    axes: np.ndarray

    def channel(self, vectors: np.ndarray, bits: float, rng: np.random.Generator) -> np.ndarray:
        """Return vectors ``[vectors, dim]`` as the test channel gives them at ``bits`` per vector, float64.

        It keeps a share of each component and adds noise. The expected squared error is the sum of ``least_errors``.
        """
        errors = least_errors(self.variances, bits)
        kept = 1 - np.divide(errors, self.variances, out=np.ones_like(errors), where=self.variances > 0)
        noise = rng.standard_normal(vectors.shape) * np.sqrt(errors * kept)
        return self.mean + ((vectors - self.mean) @ self.axes * kept + noise) @ self.axes.T


def source(vectors: np.ndarray) -> Source:
    """Return the source with mean and covariance of ``[vectors, dim]``. Raise DataError where all vectors are equal."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = vectors - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(vectors))
    if variances[-1] <= 0:
        raise DataError(f"all {len(vectors)} vectors are equal: there is nothing to code")
    variances = np.where(variances > RANK * variances[-1], variances, 0.0)
    return Source(mean, variances[::-1], axes[:, ::-1])


def least_errors(variances: np.ndarray, bits: float) -> np.ndarray:
    """Return the squared error of each component ``[dim]`` that together need ``bits`` per vector: the water level, or the
    whole variance where this is less. Variances come largest first.
    """
    positive = variances[variances > 0]
    counts = np.arange(1, len(positive) + 1)
    levels = np.exp2((np.cumsum(np.log2(positive)) - 2 * bits) / counts)
    level = levels[np.flatnonzero(levels <= positive)[-1]]
    return np.minimum(variances, level)
