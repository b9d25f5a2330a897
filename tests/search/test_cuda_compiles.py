"""Every kernel of search through Triton's compiler, which needs no accelerator."""

import pytest

pytestmark = [pytest.mark.gpu, pytest.mark.slow]

CAPABILITIES = [80, 90]
POSITIONS = {"starts": "*i64", "stops": "*i64"}


@pytest.fixture(scope="module")
def kernels(compiled):
    from bench.search.kernels import triton_loops

    def build(name, capability, signature, sizes, **options):
        return compiled(getattr(triton_loops, name), capability, signature, sizes, enable_fp_fusion=False, **options)

    return build


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_similarities_multiply_bytes_on_tensor_cores_and_round_each_product(kernels, capability):
    pointers = {"centroids": "*i8", "factors": "*fp32", "query": "*i16"}
    signature = {**pointers, "fixed": "*i16", "fixed8": "*i8", "count": "i32"}
    sizes = {"SLOTS": 128, "SIZE": 32, "ROWS": 64, "LANES": 32}
    assembly = kernels("similarities", capability, signature, sizes)
    assert "s32.s8.s8" in assembly
    assert "mul.rn.f32" in assembly
    assert "fma" not in assembly


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("codes", ["*u8", "*u16", "*u32"])
def test_interaction_loads_sixteen_bytes_at_a_time(kernels, capability, codes):
    pointers = {"fixed8": "*i8", "highest": "*i16", "threshold": "i32", "codes": codes, **POSITIONS, "out": "*i32"}
    signature = {**pointers, "count": "i32", "passages": "i32", "lanes": "i32"}
    assembly = kernels("interaction", capability, signature, {"VECTORS": 32, "LANES": 32}, num_warps=2)
    assert "ld.global.v4.b32" in assembly


@pytest.mark.parametrize("capability", CAPABILITIES)
@pytest.mark.parametrize("picked", [False, True])
@pytest.mark.parametrize(("number", "part"), [(16, 8), (32, 4), (64, 2), (128, 1)])
@pytest.mark.parametrize("factors", [None, "GAINS", "SPREADS"])
def test_maxsim_multiplies_in_full_float32(kernels, capability, picked, number, part, factors):
    stored = {"centroids": "*i8", "scales": "*fp32", "codebook": "*fp32", "codes": "*u32", "residuals": "*u8"}
    signature = {
        "query": "*fp32",
        **stored,
        "gains": "*fp32",
        "spreads": "*fp32",
        "picked": "*i64",
        **POSITIONS,
        "out": "*fp32",
        "passages": "i32",
        "lanes": "i32",
    }
    sizes = {"NUMBER": number, "BYTES": 32 // part, "PART": part, "CHUNKS": 4}
    sizes |= {"GAINS": factors == "GAINS", "SPREADS": factors == "SPREADS", "NORMALISED": True}
    sizes |= {"PICKED": picked, "VECTORS": 16 if picked else 32, "LANES": 32}
    assembly = kernels("maxsim", capability, signature, sizes, num_warps=1 if picked else 2, num_stages=1)
    assert assembly.count("fma.rn.f32") >= 2048
    assert "mma" not in assembly


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_marking_and_picking_compile(kernels, capability):
    lists = {"lists": "*i32", "offsets": "*i64", "centroids": "*i64", "seen": "*i8"}
    assert "st.global.b8" in kernels("mark", capability, lists, {"SPLIT": 16, "ENTRIES": 1024})
    masked = {"codes": "*u32", "probed": "*u8", **POSITIONS, "firsts": "*i64", "picked": "*i64", "ends": "*i64"}
    assert "st.global.b64" in kernels("pick", capability, masked, {"VECTORS": 64}, num_warps=2)
