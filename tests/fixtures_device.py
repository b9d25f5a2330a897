"""Where the tests of Triton's kernels run: an accelerator, or Triton's interpreter on small arrays."""

import pytest

from bench.codec.device import open_device
from bench.errors import SettingsError


@pytest.fixture(scope="session")
def device():
    """Name of a device that runs Triton's kernels; skips with what each of them lacks."""
    reasons = []
    for name in ("cpu", "cuda"):
        try:
            open_device(name)
        except SettingsError as refused:
            reasons.append(str(refused))
        else:
            return name
    return pytest.skip("; ".join(dict.fromkeys(reasons)))


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """``compiled(kernel, capability, signature, sizes, **options)``: the assembly of a kernel, with no accelerator at hand.

    The interpreter accepts much that the compiler refuses. Skips where triton is not installed or interprets.
    """
    triton = pytest.importorskip("triton", reason="triton is not installed")
    if triton.knobs.runtime.interpret:
        pytest.skip("TRITON_INTERPRET is set, and so nothing is compiled")
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    def build(kernel, capability, signature, sizes, **options):
        aligned = [number for number, kind in enumerate(signature.values()) if kind.startswith("*")]
        source = ASTSource(
            kernel,
            {**signature, **dict.fromkeys(sizes, "constexpr")},
            {(kernel.arg_names.index(name),): value for name, value in sizes.items()},
            {(number,): [["tt.divisibility", 16]] for number in aligned},
        )
        with triton.knobs.cache.scope():
            triton.knobs.cache.dir = str(tmp_path_factory.mktemp("triton"))
            return triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options).asm["ptx"]

    return build
