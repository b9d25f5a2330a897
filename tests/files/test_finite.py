import numpy as np
import pytest

from bench.errors import DamagedFileError
from bench.files.finite import ROWS, check_finite, first_not_finite


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_the_first_row_that_is_not_finite_is_found_in_any_block(value, kind):
    array = np.zeros((ROWS + 5, 2), kind)
    assert first_not_finite(array) is None
    array[ROWS + 3, 1] = value
    assert first_not_finite(array) == ROWS + 3
    array[7] = value
    assert first_not_finite(array) == 7


def test_a_row_is_named_by_its_id_where_there_are_ids():
    array = np.array([1.0, np.nan])
    with pytest.raises(DamagedFileError, match=r"scores of x: query q2 is not finite"):
        check_finite(array, "scores of x", ["query q1", "query q2"])
    with pytest.raises(DamagedFileError, match="scores of x: row 1 is not finite"):
        check_finite(array, "scores of x")


def test_whole_numbers_and_empty_arrays_are_finite():
    assert first_not_finite(np.arange(3)) is None
    assert first_not_finite(np.empty((0, 4))) is None
    assert first_not_finite(np.empty((3, 0), np.float32)) is None
