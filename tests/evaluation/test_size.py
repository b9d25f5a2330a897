import pytest

from bench.evaluation.size import account, by_component
from bench.files.storage import Manifest


def manifest(counts, **files):
    listed = {name: {"bytes": size, "sha256": ""} for name, size in files.items()}
    return Manifest(kind="index", version=1, settings={"dim": 50}, inputs={}, counts=counts, context={}, files=listed)


PLAIN = manifest({"vectors": 10, "passages": 4}, **{"vectors.npy": 1000, "doclens.npy": 16, "ids.txt": 9})
COMPRESSED = manifest(
    {"vectors": 10, "passages": 4, "centroids": 8},
    **{
        "codes.npy": 40,
        "residuals.npy": 50,
        "norms.npy": 20,
        "lists.npy": 8,
        "list_offsets.npy": 2,
        "centroids.npy": 21,
        "centroid_scales.npy": 4,
        "codebook.npy": 3,
        "cutoffs.npy": 1,
        "weights.npy": 2,
        "norm_levels.npy": 6,
        "doclens.npy": 16,
        "ids.txt": 9,
    },
)


def test_the_ledger_of_a_compressed_index_by_hand():
    assert account(COMPRESSED) == {
        "bytes": {
            "float16": 0,
            "codes": 40,
            "residuals": 50,
            "inverted list": 10,
            "norms": 20,
            "centroids": 25,
            "other": 37,
        },
        "total": 182,
        "vectors": 10,
        "passages": 4,
        "centroids": 8,
        "bytes_per_vector": 18.2,
        "ratio": {"paper": 1000 / 120, "with_centroids": 1000 / 145, "list_on_both_sides": 1010 / 120},
    }


def test_an_uncompressed_index_has_no_ratio():
    ledger = account(PLAIN)
    assert ledger["ratio"] is None
    assert ledger["bytes"]["float16"] == 1000
    assert (ledger["total"], ledger["bytes_per_vector"], ledger["centroids"]) == (1025, 102.5, 0)


@pytest.mark.parametrize("nbits", [None, 1, 2, 4, 8])
def test_the_components_add_up_to_the_bytes_on_disk(small_index, tmp_path, nbits):
    index = small_index(tmp_path, [3, 1, 4, 1, 5], nbits)
    on_disk = {path.name: path.stat().st_size for path in (tmp_path / "index").iterdir() if path.name != "manifest.json"}
    assert set(on_disk) == set(index.manifest.files)
    assert sum(by_component(index.manifest).values()) == sum(on_disk.values())
    ledger = account(index.manifest)
    assert ledger["total"] == sum(ledger["bytes"].values()) == sum(on_disk.values())
    assert (ledger["vectors"], ledger["passages"]) == (14, 5)


def test_the_residuals_of_real_indexes_grow_by_the_bits_and_the_codes_do_not(small_index, tmp_path):
    sizes = {nbits: by_component(small_index(tmp_path / f"{nbits}", [50] * 4, nbits).manifest) for nbits in (1, 2, 4, 8)}
    header = 128
    for nbits, components in sizes.items():
        assert components["residuals"] == header + 200 * 2 * nbits
        assert components["codes"] == components["norms"] == header + 200
        assert components["centroids"] == 3 * header + 8 * 16 + 8 * 2
        assert components["inverted list"] == sizes[1]["inverted list"]


def test_a_file_of_no_component_is_not_silently_left_out():
    with pytest.raises(KeyError):
        by_component(manifest({}, **{"codes.npy": 1, "surprise.npy": 2}))
