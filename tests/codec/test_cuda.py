"""The same kernels on an accelerator or in Triton's interpreter, against the codec on the CPU."""

import numpy as np
import pytest

from bench.codec import cuda, fitting, kmeans, names, nearest
from bench.codec.codec import Codec
from bench.codec.cuda_encoder import Encoder
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
    codes = cuda.assign(points, centres, device=device, precision="float32")
    assert codes.dtype == nearest.code_dtype(centroids)
    products = points.astype(np.float64) @ centres.T.astype(np.float64)
    np.testing.assert_allclose(products[np.arange(vectors), codes], products.max(axis=1), rtol=0, atol=1e-6)
    clear = np.ptp(np.sort(products, axis=1)[:, -2:], axis=1) > 1e-6 if centroids > 1 else np.ones(vectors, bool)
    np.testing.assert_array_equal(codes[clear], nearest.assign(points, centres, exhaustive=True)[clear])


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_of_equal_products_the_lower_centroid_wins_within_a_block_and_across_blocks(device, precision):
    rng = np.random.default_rng(2)
    points = rng.integers(-3, 4, (140, 32)).astype(np.float32)
    centres = np.tile(rng.integers(-3, 4, (23, 32)), (12, 1)).astype(np.float32)
    expected = (points @ centres.T).argmax(axis=1)
    assert expected.max() < 23
    assert cuda.assign(points, centres, device=device, precision=precision).tolist() == expected.tolist()


def test_float16_chooses_among_centroids_that_are_within_its_rounding_of_the_best(device):
    points, centres = unit(200, 64), unit(500, 64, seed=1)
    products = points @ centres.T
    found = products[np.arange(200), cuda.assign(points, centres, device=device)]
    assert (products.max(axis=1) - found).max() < 1 / 1000
    assert (products.max(axis=1) == found).mean() > 0.97


def test_products_that_are_all_negative_are_not_beaten_by_padding(device):
    points = unit(5, 32)
    assert cuda.assign(points, -points[:1], device=device).tolist() == [0] * 5


def test_no_vectors_have_no_codes(device):
    assert cuda.assign(np.empty((0, 32), np.float16), unit(300, 32), device=device).dtype == np.uint16


def test_another_precision_is_refused():
    with pytest.raises(SettingsError, match=r"precision 'tf32' is not one of \['float16', 'float32'\]"):
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


@pytest.mark.parametrize("name", ["lloyd-2", "rotated-2", "pq-8", "opq-8"])
def test_a_codec_of_another_form_is_left_to_the_cpu(device, name):
    points = unit(300, 16)
    clusters = kmeans.clusters(points, 8, seed=0, iterations=2)
    codec = fitting.fit(names.parse(name), clusters, points, nearest.assign(points, clusters.centroids), seed=0)
    assert not Encoder.takes(codec)
    with pytest.raises(SettingsError, match="is encoded on the cpu alone"):
        Encoder(codec, device=device)


def clustered(dim=32, number=40, each=60):
    rng = np.random.default_rng(5)
    points = np.repeat(unit(number, dim, seed=6), each, axis=0) + 0.4 * unit(number * each, dim, seed=7)
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float16)[rng.permutation(number * each)]


def lost(points, clusters):
    """Mean squared distance of points to the nearest centroid."""
    codes = nearest.assign(points, clusters.centroids, exhaustive=True)
    return np.square(points.astype(np.float32) - clusters.centroids[codes]).sum(axis=1).mean()


def test_k_means_on_a_device_is_as_good_as_on_the_cpu_and_the_same_each_time(device):
    points = clustered()
    ours = cuda.clusters(points, 48, seed=3, iterations=4, device=device)
    again = cuda.clusters(points, 48, seed=3, iterations=4, device=device)
    theirs = kmeans.clusters(points, 48, seed=3, iterations=4)
    assert ours.centroids.shape == theirs.centroids.shape == (48, 32)
    np.testing.assert_array_equal(ours.centroids, again.centroids)
    np.testing.assert_array_equal(ours.spreads, again.spreads)
    np.testing.assert_allclose(lost(points, ours), lost(points, theirs), rtol=0.02)
    np.testing.assert_allclose(np.linalg.norm(ours.centroids, axis=1), 1, atol=0.01)
    assert ours.spreads.dtype == np.float16
    np.testing.assert_allclose(ours.spreads.mean(), theirs.spreads.mean(), rtol=0.02)


def test_fewer_distinct_vectors_than_centroids_are_the_centroids(device):
    points = np.repeat(unit(9, 16), 5, axis=0).astype(np.float16)
    ours = cuda.clusters(points, 32, seed=0, iterations=3, device=device)
    np.testing.assert_array_equal(ours.centroids, kmeans.clusters(points, 32, seed=0, iterations=3).centroids)
    assert len(ours.centroids) == 9


def test_centroids_without_points_move_to_the_points_that_are_farthest_from_theirs(device):
    points = np.concatenate([np.repeat(unit(1, 16), 60, axis=0), unit(40, 16, seed=2)]).astype(np.float16)
    ours = cuda.clusters(points, 20, seed=1, iterations=5, device=device)
    codes = nearest.assign(points, ours.centroids, exhaustive=True)
    assert len(np.unique(codes)) >= 19


@pytest.mark.slow
@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize("kind", ["fp32", "fp16"])
def test_assignment_compiles_to_tensor_cores_in_float16_and_to_full_float32_otherwise(compiled, capability, kind):
    from bench.codec import triton_loops

    pointers = {"vectors": "*fp16", "centroids": f"*{kind}", "codes": "*i32", "closeness": "*fp32"}
    signature = {**pointers, "number": "i32", "count": "i32"}
    rows, columns = cuda.TILES[{"fp32": "float32", "fp16": "float16"}[kind]]
    sizes = {"DIM": 128, "SLOTS": 128, "VECTORS": rows, "CENTROIDS": columns}
    assembly = compiled(triton_loops.assign, capability, signature, sizes, num_warps=4, num_stages=2, enable_fp_fusion=True)
    assert ("mma." in assembly or "mma_async" in assembly) == (kind == "fp16")
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
