import sys
from typing import get_args

import pytest

from bench.errors import SettingsError
from bench.search.kernels.backends import Backend, open_kernels


def test_kernels_of_an_unknown_name_are_refused_with_those_there_are(indexes):
    with pytest.raises(SettingsError, match=r"kernels 'gpu' are not one of \['cpu', 'cuda', 'reference'\]"):
        open_kernels("gpu", indexes[4])
    assert get_args(Backend) == ("cpu", "cuda", "reference")


def test_an_uncompressed_index_has_no_kernels(indexes):
    with pytest.raises(SettingsError, match="use the engine exact"):
        open_kernels("cpu", indexes[None])


def test_kernels_for_cuda_are_refused_where_triton_is_not_installed(indexes, monkeypatch):
    monkeypatch.setitem(sys.modules, "triton", None)
    with pytest.raises(SettingsError, match="need the package triton, which is not installed"):
        open_kernels("cuda", indexes[4])
