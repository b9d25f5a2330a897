import numpy as np
import pytest

from bench.errors import DamagedFileError
from bench.search.queries import open_query_vectors, write_query_vectors


def test_query_vectors_open_as_written(tmp_path, random_queries):
    vectors = random_queries(3, 5)
    write_query_vectors(tmp_path / "q", vectors, ["q1", "q 2", "ä"], settings={"query_maxlen": 32}, inputs={"model": "m"})
    opened = open_query_vectors(tmp_path / "q")
    np.testing.assert_array_equal(opened.vectors, vectors)
    assert opened.ids == ["q1", "q 2", "ä"]
    assert opened.manifest.counts == {"queries": 3, "vectors": 5}
    assert opened.manifest.inputs == {"model": "m"}


def test_another_number_of_ids_than_vectors_is_refused(tmp_path, random_queries):
    write_query_vectors(tmp_path / "q", random_queries(3, 5), ["q1", "q2"])
    with pytest.raises(DamagedFileError, match=r"has 2 ids for vectors of shape \(3, 5, 16\)"):
        open_query_vectors(tmp_path / "q")


def test_a_query_of_only_padding_is_refused_by_its_id(tmp_path, random_queries):
    vectors = random_queries(3, 5)
    vectors[1] = 0
    write_query_vectors(tmp_path / "q", vectors, ["q1", "q2", "q3"])
    with pytest.raises(DamagedFileError, match=r"query 'q2' of .* has no vector"):
        open_query_vectors(tmp_path / "q")
