"""An index of a codec that rotates: everything outside it sees vectors as they were."""

import numpy as np
import pytest

from bench.codec import fitting, kmeans
from bench.codec.names import parse
from bench.codec.nearest import assign
from bench.search.exact import Exact, ExactKernels
from bench.search.kernels.backends import open_kernels
from tests.fixtures_index import KERNELS


@pytest.fixture(scope="module", params=["rotated-2", "opq-8"])
def searched(request, small_index, tmp_path_factory):
    """Vectors of dim 32 in 60 passages, and their index by a codec that rotates."""
    rng = np.random.default_rng(3)
    doclens = rng.integers(1, 9, 60)
    vectors = rng.standard_normal((doclens.sum(), 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    clusters = kmeans.clusters(vectors, 16, seed=0, iterations=4)
    codec = fitting.fit(parse(request.param), clusters, vectors, assign(vectors, clusters.centroids), 5)
    index = small_index(tmp_path_factory.mktemp(request.param), doclens, vectors=vectors, codec=codec)
    return vectors, index


def test_the_vectors_of_the_index_are_near_the_originals(searched):
    vectors, index = searched
    assert float((index.vectors(slice(None)) * vectors).sum(axis=1).mean()) > 0.93
    rotated = index.compressed.decode(slice(None))
    assert abs(float((rotated * vectors).sum(axis=1).mean())) < 0.5


@pytest.mark.parametrize("kernels", KERNELS)
def test_search_over_codes_ranks_as_search_over_decoded_vectors(searched, kernels):
    vectors, index = searched
    queries = vectors[:40].reshape(4, 10, 32)
    for found, expected in zip(
        ExactKernels(open_kernels(kernels, index)).search(queries, 20), Exact(index).search(queries, 20), strict=True
    ):
        np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-5)
        np.testing.assert_array_equal(found.passages, expected.passages)
