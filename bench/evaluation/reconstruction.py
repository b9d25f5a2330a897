"""How far decoded vectors are from the vectors that were encoded: cosine, squared error, and the error of MaxSim."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.evaluation.rate_distortion import Source, least_errors, source
from bench.index.index import Index
from bench.search.kernels.reference import maxsim

Errors = dict[str, float]
Decode = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Sample:
    """What decoded vectors are compared on: vectors at ``positions [vectors]`` of an uncompressed index, and pairs of a
    query ``[query vectors, dim]`` without padding and positions ``[passages]`` in the index.

    Errors are cosine and squared_error, means over vectors; maxsim_error and maxsim_rms, the mean absolute and the root mean
    squared error of the score of equation 1 (arXiv 2112.01488) over the pairs.
    """

    reference: Index
    positions: np.ndarray
    pairs: Sequence[tuple[np.ndarray, np.ndarray]]

    @functools.cached_property
    def source(self) -> Source:
        return source(self._vectors)

    @functools.cached_property
    def scores(self) -> np.ndarray:
        """Scores ``[pairs of a query and a passage]`` over uncompressed vectors, query by query."""
        return self._scored(self.reference.vectors)

    def measured(self, index: Index) -> Errors:
        """Return the errors of the decoded vectors of an index of the same passages."""
        return {**self._of_vectors(index.vectors(self.positions)), **self._of_scores(index.vectors)}

    def bound(self, bits: float, seed: int) -> Errors:
        """Return the errors at the rate-distortion bound of the Gaussian source with the covariance of these vectors.

        squared_error is the bound. The others are those of the test channel that attains it, over the same vectors, which
        then get length 1, as decoded vectors have it.
        """
        rng = np.random.default_rng(seed)

        def coded(positions: np.ndarray) -> np.ndarray:
            found = self.source.channel(self.reference.vectors(positions), bits, rng)
            return found / np.linalg.norm(found, axis=1, keepdims=True)

        least = {"squared_error": float(least_errors(self.source.variances, bits).sum())}
        return {**self._of_vectors(coded(self.positions)), **least, **self._of_scores(coded)}

    def residual_bound(self, index: Index) -> float:
        """Return the least squared error of the Gaussian source with the mean and the covariance of the residuals, at the
        bits of a residual. Unlike ``bound``, it knows the centroids.
        """
        assert index.compressed is not None
        codec = index.compressed.codec
        centroids = codec.mapped_back(codec.centroids[index.compressed.codes[self.positions]])
        variances = source(self._vectors - centroids).variances
        return float(least_errors(variances, bits_of(index)["residual"]).sum())

    @functools.cached_property
    def _vectors(self) -> np.ndarray:
        return self.reference.vectors(self.positions).astype(np.float64)

    def _of_vectors(self, decoded: np.ndarray) -> Errors:
        norms = np.linalg.norm(self._vectors, axis=1) * np.linalg.norm(decoded, axis=1)
        return {
            "cosine": float(np.mean(np.einsum("vd,vd->v", self._vectors, decoded) / norms)),
            "squared_error": float(np.square(self._vectors - decoded).sum(axis=1).mean()),
        }

    def _of_scores(self, decode: Decode) -> Errors:
        errors = self._scored(decode) - self.scores
        return {"maxsim_error": float(np.abs(errors).mean()), "maxsim_rms": float(np.sqrt(np.square(errors).mean()))}

    def _scored(self, decode: Decode) -> np.ndarray:
        found = []
        for query, passages in self.pairs:
            products = decode(self.reference.positions(passages)).astype(np.float64) @ query.astype(np.float64).T
            found.append(maxsim(products, self.reference.starts(passages)))
        return np.concatenate(found)


def bits_of(index: Index) -> dict[str, int]:
    """Return the bits of the code and of the residual of a vector, as a compressed index stores them."""
    assert index.compressed is not None
    codes, residuals = index.compressed.codes, index.compressed.residuals
    return {"code": 8 * codes.dtype.itemsize, "residual": 8 * residuals.shape[1]}
