"""The same kernels on an accelerator or in Triton's interpreter, against the codec on the CPU."""

import numpy as np
import pytest

from bench.codec import cuda, nearest
from bench.codec.codec import Codec
from bench.codec.cuda_encoder import Encoder
from bench.codec.device import interpreted
from bench.codec.fitting import fit_residual
from bench.errors import SettingsError

pytestmark = pytest.mark.gpu


def unit(vectors, dim, seed=0):
    made = np.random.default_rng(seed).standard_normal((vectors, dim)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.mark.parametrize("dim", [32, 96, 128, 256, 40])
@pytest.mark.parametrize(("vectors", "centroids"), [(1, 1), (130, 67), (129, 300)])
@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_a_vector_gets_its_nearest_centroid(device, dim, vectors, centroids, kind):
    points, centres = unit(vectors, dim).astype(kind), unit(centroids, dim, seed=1)
    codes = cuda.assign(points, centres, device=device)
    assert codes.dtype == nearest.code_dtype(centroids)
    products = points.astype(np.float64) @ centres.T.astype(np.float64)
    np.testing.assert_allclose(products[np.arange(vectors), codes], products.max(axis=1), rtol=0, atol=1e-6)
    clear = np.ptp(np.sort(products, axis=1)[:, -2:], axis=1) > 1e-6 if centroids > 1 else np.ones(vectors, bool)
    np.testing.assert_array_equal(codes[clear], nearest.assign(points, centres, exhaustive=True)[clear])


def refuse_to_interpret(precision):
    if precision == "bfloat16" and interpreted():
        pytest.skip("Triton's interpreter cannot multiply bfloat16")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_of_equal_products_the_lower_centroid_wins_within_a_block_and_across_blocks(device, precision):
    refuse_to_interpret(precision)
    rng = np.random.default_rng(2)
    points = rng.integers(-3, 4, (140, 32)).astype(np.float32)
    centres = np.tile(rng.integers(-3, 4, (23, 32)), (12, 1)).astype(np.float32)
    expected = (points @ centres.T).argmax(axis=1)
    assert expected.max() < 23
    assert cuda.assign(points, centres, device=device, precision=precision).tolist() == expected.tolist()


def test_bfloat16_chooses_among_centroids_that_are_within_its_rounding_of_the_best(device):
    refuse_to_interpret("bfloat16")
    points, centres = unit(200, 64), unit(500, 64, seed=1)
    products = points @ centres.T
    found = products[np.arange(200), cuda.assign(points, centres, device=device, precision="bfloat16")]
    assert (products.max(axis=1) - found).max() < 1 / 128
    assert (products.max(axis=1) == found).mean() > 0.9


def test_bfloat16_is_refused_in_the_interpreter(device):
    if not interpreted():
        pytest.skip("kernels are compiled")
    with pytest.raises(SettingsError, match="bits of bfloat16 for integers in products; use the precision float32"):
        cuda.assign(unit(2, 8), unit(2, 8), device=device, precision="bfloat16")


def test_no_vectors_have_no_codes(device):
    assert cuda.assign(np.empty((0, 32), np.float16), unit(300, 32), device=device).dtype == np.uint16


def test_another_precision_is_refused():
    with pytest.raises(SettingsError, match=r"precision 'tf32' is not one of \['bfloat16', 'float32'\]"):
        cuda.assign(unit(2, 8), unit(2, 8), precision="tf32")


@pytest.mark.parametrize("nbits", [1, 2, 4, 8])
@pytest.mark.parametrize("dim", [32, 96, 128, 256, 8, 40])
@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_packed_residuals_equal_the_codec_to_the_bit(device, nbits, dim, kind):
    points = unit(35, dim).astype(kind)
    centres = unit(9, dim, seed=1)
    codes = nearest.assign(points, centres)
    codec = fit_residual(centres, points, codes, nbits)
    packed = Encoder(codec, device=device).encode(points, codes)
    assert packed.dtype == np.uint8
    np.testing.assert_array_equal(packed, codec.encode(points, codes))


@pytest.mark.parametrize("nbits", [1, 2, 4, 8])
def test_values_on_a_cutoff_beyond_all_and_between_equal_cutoffs_go_where_the_codec_puts_them(device, nbits):
    cutoffs = np.sort(np.random.default_rng(3).integers(-4, 5, 2**nbits - 1)).astype(np.float32)
    codec = Codec(np.zeros((1, 8), np.float32), np.zeros((nbits, 256, 8 // nbits), np.float32), cutoffs, np.zeros(2**nbits))
    values = np.random.default_rng(4).integers(-10, 11, (50, 8)).astype(np.float32) / 2
    codes = np.zeros(50, np.uint8)
    packed = Encoder(codec, device=device).encode(values, codes)
    np.testing.assert_array_equal(packed, codec.encode(values, codes))


def test_a_codec_without_the_paper_s_cutoffs_cannot_encode(device):
    codec = Codec(unit(3, 8), np.zeros((2, 256, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.float32))
    with pytest.raises(SettingsError, match="a codec of 2 bits has 3 cutoffs, this one 0"):
        Encoder(codec, device=device)


@pytest.mark.slow
@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize("kind", ["fp32", "bf16"])
def test_assignment_compiles_to_tensor_cores_in_bfloat16_and_to_full_float32_otherwise(compiled, capability, kind):
    from bench.codec import triton_loops

    signature = {"vectors": "*fp16", "centroids": f"*{kind}", "codes": "*i32", "number": "i32", "count": "i32"}
    sizes = {"DIM": 128, "DIMS": 32, "CHUNKS": 4, "VECTORS": 128, "CENTROIDS": 64}
    assembly = compiled(triton_loops.assign, capability, signature, sizes, num_warps=8, enable_fp_fusion=False)
    assert ("mma." in assembly or "mma_async" in assembly) == (kind == "bf16")
    assert ("fma.rn.f32" in assembly) == (kind == "fp32")
    assert "tf32" not in assembly


@pytest.mark.slow
@pytest.mark.parametrize("nbits", [1, 2, 4, 8])
def test_packing_compiles_for_every_width(compiled, nbits):
    from bench.codec import triton_loops

    signature = {
        "vectors": "*fp16",
        "centroids": "*fp32",
        "codes": "*u16",
        "cutoffs": "*fp32",
        "out": "*u8",
        "number": "i32",
    }
    sizes = {"BYTES": 12 * nbits, "PADDED": 16 * nbits, "NBITS": nbits, "VECTORS": 16}
    assert "st.global" in compiled(triton_loops.quantize, 90, signature, sizes, enable_fp_fusion=False)
