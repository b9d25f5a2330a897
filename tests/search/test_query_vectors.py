import numpy as np
import pytest

from bench.errors import DamagedFileError
from bench.files.storage import FolderWriter
from bench.search.queries import KIND, VERSION, open_query_vectors, write_query_vectors


def test_query_vectors_open_as_written(tmp_path, random_queries):
    vectors = random_queries(3, 5)
    write_query_vectors(tmp_path / "q", vectors, ["q1", "q 2", "ä"], settings={"query_maxlen": 32}, inputs={"model": "m"})
    opened = open_query_vectors(tmp_path / "q")
    np.testing.assert_array_equal(opened.vectors, vectors)
    assert opened.ids == ["q1", "q 2", "ä"]
    assert opened.manifest.counts == {"queries": 3, "vectors": 5}
    assert opened.manifest.inputs == {"model": "m"}


def test_another_number_of_ids_than_vectors_is_refused(tmp_path, random_queries):
    with pytest.raises(DamagedFileError, match=r"has 2 ids for vectors of shape \(3, 5, 16\)"):
        write_query_vectors(tmp_path / "q", random_queries(3, 5), ["q1", "q2"])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.0, r"query 'q2' of .* has no vector"),
        (np.nan, r"query vectors of .*: query 'q2' is not finite"),
        (np.inf, r"query vectors of .*: query 'q2' is not finite"),
    ],
)
def test_a_query_without_vectors_or_with_some_that_are_not_finite_is_refused_by_its_id(
    tmp_path, random_queries, value, message
):
    vectors = random_queries(3, 5)
    write_query_vectors(tmp_path / "q", vectors, ["q1", "q2", "q3"])
    vectors[1] = value
    with pytest.raises(DamagedFileError, match=message):
        write_query_vectors(tmp_path / "other", vectors, ["q1", "q2", "q3"])
    assert not (tmp_path / "other").exists()
    writer = FolderWriter(tmp_path / "q", KIND, VERSION)  # by a program that does not look
    writer.array("vectors.npy", vectors)
    writer.path("ids.txt")
    writer.close(counts={"queries": 3, "vectors": 5})
    with pytest.raises(DamagedFileError, match=message):
        open_query_vectors(tmp_path / "q")
