"""Vectors of a batch that are merged in training, beside those that ``bench merge`` stores."""

import numpy as np
import pytest
import torch

from bench.encoder.pooling import pooled
from bench.training.batches import merged

DIM = 8


def padded(doclens, seed, width=12):
    """Unit vectors in float16, with gradients, and which of them are kept: some places among them are not."""
    rng = np.random.default_rng(seed)
    made = rng.standard_normal((len(doclens), width, DIM))
    vectors = (made / np.linalg.norm(made, axis=2, keepdims=True)).astype(np.float16)
    kept = np.zeros((len(doclens), width), bool)
    for number, length in enumerate(doclens):
        kept[number, rng.permutation(width)[:length]] = True
    return torch.from_numpy(vectors.astype(np.float32)).requires_grad_(), kept


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_merged_vectors_are_those_of_bench_merge(factor):
    doclens = [12, 1, 4, 7, 2]
    vectors, kept = padded(doclens, 3)
    found, there = merged(vectors, kept, factor)
    stored = pooled(vectors.detach().numpy()[kept].astype(np.float16), np.array(doclens), factor)
    assert there.sum(dim=1).tolist() == stored.doclens.tolist()
    assert stored.doclens.sum() == max(5, sum(doclens) // factor)
    assert found.shape == (5, stored.doclens.max(), DIM)
    np.testing.assert_allclose(found[there].detach().numpy(), stored.vectors.astype(np.float32), atol=1e-3)


def test_gradients_go_through_the_means_to_each_vector_that_is_kept_and_to_no_other():
    vectors, kept = padded([12, 3], 5)
    found, there = merged(vectors, kept, 3)
    direction = torch.randn(found.shape, generator=torch.Generator().manual_seed(0))
    (found * direction)[there].sum().backward()
    reached = vectors.grad.abs().sum(dim=2) > 0
    np.testing.assert_array_equal(reached.numpy(), kept)
    change = torch.zeros_like(vectors).detach()
    place = int(np.flatnonzero(kept[0])[4])
    change[0, place, 2] = 1e-3
    with torch.no_grad():
        ends = [(merged(vectors + sign * change, kept, 3)[0] * direction)[there].sum() for sign in (1, -1)]
    assert float(ends[0] - ends[1]) / 2e-3 == pytest.approx(float(vectors.grad[0, place, 2]), abs=1e-3)


def test_one_vector_a_passage_is_left_as_it_is():
    vectors, kept = padded([1, 1], 1)
    found, there = merged(vectors, kept, 4)
    assert there.tolist() == [[True], [True]]
    np.testing.assert_allclose(found.detach().numpy()[:, 0], vectors.detach().numpy()[kept], atol=1e-3)
