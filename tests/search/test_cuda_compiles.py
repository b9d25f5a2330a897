"""Every kernel of search through Triton's compiler, which needs no accelerator."""

import ast
from pathlib import Path

import pytest

import bench

CAPABILITIES = [80, 90]
STORED = {"vectors": "*fp16", "codes": "*u16", "residuals": "*u8", "centroids": "*i8", "scales": "*fp32"}
STORED |= {"codebook": "*fp32", "gains": "*fp32", "spreads": "*fp32"}
SIZES = {"DIM": 0, "NUMBER": 32, "NBITS": 2, "GAINS": 0, "SPREADS": 0, "NORMALISED": True, "PART": 4, "SLOTS": 128}
UNCOMPRESSED = {**SIZES, "DIM": 128, "NUMBER": 0, "NBITS": 0, "NORMALISED": False, "PART": 1}
LEARNED = {**SIZES, "NUMBER": 16, "NBITS": 0, "SPREADS": 1, "PART": 8}
TILED = {"firsts": "*i32", "lasts": "*i32"}


def test_a_masked_load_gives_zero():
    """Of a narrow constant that is negative, only one lane of four would hold the constant on real hardware."""
    sources = sorted(Path(bench.__file__).parent.rglob("triton_*.py"))
    assert len(sources) == 3
    others = [
        keyword.value
        for source in sources
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "other"
    ]
    assert len(others) > 10
    assert all(isinstance(value, ast.Constant) and value.value == 0 for value in others)


@pytest.fixture(scope="module")
def kernels(compiled):
    from bench.search.kernels import triton_centroids, triton_vectors

    def build(name, capability, signature, sizes, **options):
        kernel = getattr(triton_vectors, name, None) or getattr(triton_centroids, name)
        given = {argument: signature[argument] for argument in kernel.arg_names if argument in signature}
        return compiled(kernel, capability, given, sizes, **{"enable_fp_fusion": True, **options})

    return build


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize(("sizes", "fused"), [(SIZES, False), (SIZES, True), (UNCOMPRESSED, True), (LEARNED, True)])
def test_rounded_scores_are_products_on_tensor_cores_whose_maxima_stay_in_a_thread(kernels, capability, sizes, fused):
    pointers = {**STORED, **TILED, "query": "*fp16", "stored": "*fp16", "owners": "*i32", "chunks": "*i32", "out": "*fp32"}
    shape = {"ROWS": 64 if fused else 128, "LANES": 32, "FUSED": fused}
    options = {"num_warps": 8 if fused else 4, "num_stages": 1 if fused else 2}
    signature = {**pointers, "passages": "i32", "factor": "fp32"}
    assembly = kernels("coarse", capability, signature, {**sizes, **shape}, **options)
    assert ("wgmma.mma_async" if capability == 90 else "mma.sync") in assembly
    assert fused or "cp.async" in assembly  # the next tile is read while this one is multiplied
    if capability == 90:
        assert assembly.count("max.f32") >= (32 if fused else 128)


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("sizes", [SIZES, UNCOMPRESSED, LEARNED])
def test_decoding_writes_sixteen_bytes_at_a_time(kernels, capability, sizes):
    signature = {**STORED, **TILED, "out": "*fp16", "factor": "fp32"}
    assert "st.global.v4.b32" in kernels("decode", capability, signature, {**sizes, "ROWS": 32})


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("probed", [False, True])
@pytest.mark.parametrize("sizes", [SIZES, UNCOMPRESSED, LEARNED])
def test_maxsim_multiplies_in_full_float32(kernels, capability, probed, sizes):
    pointers = {"query": "*fp32", "offsets": "*i64", "ranks": "*i32", "passages": "*i32", "probed": "*u8", "keys": "*i64"}
    signature = {**STORED, **pointers, "entries": "i32", "count": "i32", "groups": "i32"}
    shape = {"SIZE": 32, "PROBED": probed, "BLOCK": 1, "VECTORS": 16 if probed else 32, "LANES": 32}
    options = {"num_warps": 1 if probed else 2, "num_stages": 1, "enable_fp_fusion": False}
    assembly = kernels("maxsim", capability, signature, {**sizes, **shape}, **options)
    assert assembly.count("fma.rn.f32") >= 1024
    assert "mma.sync" not in assembly
    assert "wgmma" not in assembly


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("capability", CAPABILITIES)
def test_similarities_multiply_bytes_on_tensor_cores_and_round_each_product(kernels, capability):
    pointers = {"centroids": "*i8", "factors": "*fp32", "steps": "*fp32", "query": "*i16", "lanes": "*i32"}
    written = {"fixed": "*i16", "fixed8": "*i8", "highest": "*i16", "blocks": "*i16"}
    signature = {**pointers, **written, "count": "i32", "groups": "i32"}
    sizes = {"SLOTS": 128, "SIZE": 32, "LANES": 32}
    assembly = kernels("similarities", capability, signature, sizes, enable_fp_fusion=False)
    assert "s32.s8.s8" in assembly
    assert "mul.rn.f32" in assembly
    assert "fma" not in assembly


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("codes", ["*u8", "*u16", "*u32"])
def test_interaction_loads_sixteen_bytes_at_a_time(kernels, capability, codes):
    pointers = {"fixed8": "*i8", "highest": "*i16", "least": "*i32", "lanes": "*i32", "codes": codes, "offsets": "*i64"}
    pointers |= {"ranks": "*i32", "passages": "*i32", "keys": "*i64"}
    signature = {**pointers, "count": "i32", "entries": "i32", "groups": "i32"}
    assembly = kernels("interaction", capability, signature, {"BLOCK": 32, "VECTORS": 32, "LANES": 32}, num_warps=2)
    assert "ld.global.v4.b32" in assembly


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("capability", CAPABILITIES)
def test_choosing_and_marking_compile(kernels, capability):
    pointers = {"fixed": "*i16", "blocks": "*i16", "lanes": "*i32", "probed": "*i32"}
    signature = {**pointers, "count": "i32", "number": "i32", "groups": "i32"}
    sizes = {"NPROBE": 4, "BLOCKS": 512, "LANES": 32, "WIDE": 8}
    assert "ld.local" not in kernels("nearest", capability, signature, sizes, num_warps=4)
    lists = {"lists": "*i32", "offsets": "*i64", "probed": "*i32", "seen": "*i32", "number": "i32", "passages": "i32"}
    assert "st.global.b32" in kernels("mark", capability, lists, {"SPLIT": 4, "ENTRIES": 128}, num_warps=1)
