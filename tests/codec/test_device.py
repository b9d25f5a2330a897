import sys

import pytest
import torch

from bench.codec.device import open_device
from bench.errors import SettingsError


def test_a_machine_without_triton_is_told_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "triton", None)
    with pytest.raises(
        SettingsError, match="need the package triton, which is not installed; install it, or stay on the cpu"
    ):
        open_device()


def test_a_machine_without_an_accelerator_is_told_which_torch_was_asked(monkeypatch):
    pytest.importorskip("triton", reason="triton is not installed")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingsError, match=r"need an accelerator, torch .* sees none; install a CUDA build"):
        open_device()


def test_the_cpu_is_refused_where_kernels_are_compiled():
    triton = pytest.importorskip("triton", reason="triton is not installed")
    if triton.knobs.runtime.interpret:
        pytest.skip("TRITON_INTERPRET is set")
    with pytest.raises(SettingsError, match="set TRITON_INTERPRET=1"):
        open_device("cpu")


def test_an_unknown_device_is_refused():
    with pytest.raises(SettingsError, match="device 'cuda:1' is not one of"):
        open_device("cuda:1")
