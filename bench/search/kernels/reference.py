"""MaxSim in plain torch and numpy (arXiv 2112.01488, equation 1), and the kernels that the others are tested against."""

from dataclasses import dataclass

import numpy as np
import torch

from bench.codec.int8_centroids import to_bytes
from bench.index.index import Compressed, Index
from bench.index.inverted import union
from bench.search.kernels.base import (
    SMALLEST,
    TOGETHER,
    Host,
    even,
    fixed_margin,
    fixed_point_scale,
    largest_norm,
    norms,
    rounded_codebook,
    rounded_query,
)
from bench.search.kernels.groups import Groups
from bench.search.ranking import Ranking, select, top

ROWS, COLUMNS = 64, 8


def similarities(vectors: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Inner products ``[vectors, query vectors]`` float32 of ``[vectors, dim]`` with ``[query vectors, dim]``.

    Equal vectors get equal bits wherever they stand, so that equal passages tie: zeros fill both sides up to whole
    tiles of the matrix product, the last of which is otherwise summed in another order. (numpy's own product differs
    in the last bit from row to row even so.)
    """
    left = np.zeros((len(vectors) + -len(vectors) % ROWS, vectors.shape[1]), np.float32)
    left[: len(vectors)] = vectors
    right = np.zeros((queries.shape[1], len(queries) + -len(queries) % COLUMNS), np.float32)
    right[:, : len(queries)] = queries.T
    return (torch.from_numpy(left) @ torch.from_numpy(right)).numpy()[: len(vectors), : len(queries)]


def maxima(similarities: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Maximum over the vectors of each passage, for every query vector.

    similarities ``[vectors, query vectors]``, the vectors of a passage in one stretch; starts ``[passages]`` the first
    positions of the stretches, strictly increasing. Returns ``[passages, query vectors]``. One reduction per stretch:
    ``np.maximum.reduceat`` says the same in one call, but takes 25 to 40 times as long.
    """
    found = np.empty((len(starts), similarities.shape[1]), similarities.dtype)
    bounds = [*starts.tolist(), len(similarities)]
    for passage, row in enumerate(found):
        np.maximum.reduce(similarities[bounds[passage] : bounds[passage + 1]], axis=0, out=row)
    return found


def maxsim(similarities: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Scores ``[passages]`` of one query: the sum of ``maxima`` over its vectors."""
    return maxima(similarities, starts).sum(axis=1)


@dataclass(frozen=True)
class Query:
    """vectors ``[query vectors, dim]``; fixed ``[centroids, query vectors]`` int64: similarities times scale, rounded."""

    vectors: np.ndarray
    fixed: np.ndarray
    scale: float


class Reference(Host):
    """See ``bench.search.kernels.base``: each method as its definition reads, on one thread."""

    def __init__(self, index: Index, compressed: Compressed):
        self.index, self.compressed = index, compressed

    def open(self, query: np.ndarray) -> Query:
        values, scales = to_bytes(self.compressed.codec.centroids)
        query = self.compressed.codec.mapped_queries(query)
        integers, step = rounded_query(query)
        sums = values.astype(np.float64) @ integers.T.astype(np.float64)  # of integers, and exact
        scale = fixed_point_scale(norms(query), largest_norm(self.compressed))
        factors = scales.astype(np.float32) * np.float32(step * scale)
        return Query(query, np.rint(sums.astype(np.float32) * factors[:, None]).astype(np.int64), scale)

    def nearest(self, query: Query, nprobe: int) -> np.ndarray:
        found = np.zeros(len(query.fixed), bool)
        found[np.argsort(-query.fixed, axis=0, kind="stable")[:nprobe]] = True
        return found

    def candidates(self, probed: np.ndarray) -> np.ndarray:
        lists, offsets = self.compressed.lists, self.compressed.list_offsets
        return union(lists, offsets, np.flatnonzero(probed), len(self.index))

    def interaction(self, query: Query, passages: np.ndarray, threshold: float | None = None) -> np.ndarray:
        fixed = (query.fixed + 128) >> 8
        if threshold is not None:
            fixed[query.fixed.max(axis=1) < threshold * query.scale] = np.iinfo(np.int8).min
        return maxsim(fixed[self.compressed.codes[self.index.positions(passages)]], self.index.starts(passages))

    def best(self, query: Query, passages: np.ndarray | None, k: int, probed: np.ndarray | None = None) -> Ranking:
        passages = np.arange(len(self.index)) if passages is None else passages
        positions = self.index.positions(passages)
        owners = np.repeat(np.arange(len(passages)), self.index.doclens[passages])
        if probed is not None:
            met = probed[self.compressed.codes[positions]]
            positions, owners = positions[met], owners[met]
        found, starts = np.unique(owners, return_index=True)
        scores = maxsim(similarities(self.compressed.decode(positions), query.vectors), starts)
        return top(passages[found], scores, k, self.index.id_rank)

    def opened(self, query: np.ndarray) -> Query:
        return self.open(query)

    def near(self, query: Query, groups: Groups, ngroups: int) -> np.ndarray:
        """See ``bench.search.kernels.grouped_cpu``, as for the two methods below."""
        integers, step = rounded_query(query.vectors)
        sums = groups.means.astype(np.float64) @ even(integers).T.astype(np.float64)
        fixed = np.rint(sums.astype(np.float32) * (groups.scales * np.float32(step * query.scale))[:, None])
        chosen = np.unique(np.argsort(-fixed, axis=0, kind="stable")[:ngroups])
        return np.concatenate([groups.members[groups.starts[group] : groups.starts[group + 1]] for group in chosen])

    def gathered(self, query: Query, centroids: np.ndarray, nlists: int) -> np.ndarray:
        codes = self.compressed.codes
        owners = np.repeat(np.arange(len(self.index)), self.index.doclens)
        scores = np.zeros(len(self.index), np.int32)
        for lane in ((query.fixed + 128) >> 8).T:
            last = np.sort(lane[centroids])[::-1][:nlists][-1]
            amounts = np.zeros(len(lane), np.int32)
            amounts[centroids] = np.maximum(lane[centroids] - last + 1, 0)
            found = np.zeros_like(scores)
            np.maximum.at(found, owners, amounts[codes])
            scores += found
        return scores

    def strongest(self, gathered: np.ndarray, wanted: int) -> tuple[np.ndarray, int]:
        candidates = np.flatnonzero(gathered)
        return candidates[select(candidates, gathered[candidates], wanted, self.index.id_rank)], len(candidates)

    def scored(self, query: Query, passages: np.ndarray, margin: float) -> tuple[np.ndarray, float]:
        positions, starts = self.index.positions(passages), self.index.starts(passages)
        lengths = self.index.doclens[passages]
        centres = query.fixed[self.compressed.codes[positions]].astype(np.int16)
        best = np.repeat(maxima(centres, starts), lengths, axis=0).astype(np.int64)
        near = centres >= best - fixed_margin(margin, query.scale)
        found = self._in_fixed_point(query, positions, centres)
        for first in range(0, found.shape[1], TOGETHER):
            some = slice(first, first + TOGETHER)
            found[~near[:, some].any(axis=1), some] = -np.inf
        limits = np.iinfo(np.int16)
        return np.rint(np.clip(maxima(found, starts), limits.min, limits.max)).astype(np.int64).sum(axis=1), query.scale

    def _in_fixed_point(self, query: Query, positions: np.ndarray, centres: np.ndarray) -> np.ndarray:
        """Return similarities ``[positions, query vectors]`` float32 of vectors, from those of their centroids."""
        codec, residuals = self.compressed.codec, self.compressed.residuals[positions]
        codebook, entry_step = rounded_codebook(codec.codebook)
        integers, step = rounded_query(query.vectors)
        parts = integers.reshape(len(integers), len(codebook), -1).astype(np.int64)
        sums = np.einsum("bep,qbp->beq", codebook.astype(np.int64), parts).astype(np.float32)
        table = np.rint(sums * np.float32(step * entry_step * query.scale)).astype(np.int64)
        numbers = np.arange(len(codebook))
        rows = table[numbers, residuals[:, numbers]].sum(axis=1)
        if codec.factors:
            spread = codec.spreads.astype(np.float32)
            gains = codec.gains[residuals[:, -1]] if len(codec.gains) else spread[self.compressed.codes[positions]]
            found = rows.astype(np.int16).astype(np.float32) * gains[:, None] + centres.astype(np.float32)
        else:
            found = (rows + centres).astype(np.int16).astype(np.float32)
        inverse = (1 / np.maximum(self.compressed.norm_levels, SMALLEST)).astype(np.float32)
        return found * inverse[self.compressed.norms[positions], None]
