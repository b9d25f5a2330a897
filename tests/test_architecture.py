from pathlib import Path

import pytest

from bench.files.provenance import ROOT, direct_imports

LAYERS = [
    {"errors", "files", "machine"},
    {"corpus", "codec"},
    {"config"},
    {"encoder", "index"},
    {"search"},
    {"training", "evaluation"},
    {"report", "notebook"},
    {"gate"},
    {"verbs"},
    {"cli"},
    {"__main__"},
]
LONGEST_MODULE = 350


def modules() -> list[Path]:
    return sorted((ROOT / "bench").rglob("*.py"))


def room(dotted: str) -> str:
    return dotted.split(".")[1] if "." in dotted else "errors"


def height(name: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if name in layer)


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_only_down_and_never_to_a_neighbour(module):
    parts = module.relative_to(ROOT / "bench").with_suffix("").parts
    here = parts[0] if parts[0] != "__init__" else "errors"
    for name in direct_imports(module):
        there = room(name)
        if there != here:
            assert height(there) < height(here) or {there, here} <= LAYERS[0], f"{here} imports {name}"


def test_every_module_of_bench_has_a_place_in_the_layers():
    names = {path.relative_to(ROOT / "bench").with_suffix("").parts[0] for path in modules()} - {"__init__"}
    assert names == set().union(*LAYERS)


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_short_enough_to_read_at_one_sitting(module):
    assert len(module.read_text().splitlines()) <= LONGEST_MODULE


def test_bench_never_names_snakemake_but_to_start_it():
    naming = [path.relative_to(ROOT).as_posix() for path in modules() if "snakemake" in path.read_text().lower()]
    assert naming == ["bench/verbs/run.py"]


def test_only_index_folders_know_where_their_files_stand():
    owners = [path for path in modules() if '"residuals.npy"' in path.read_text()]
    assert [path.relative_to(ROOT).as_posix() for path in owners] == ["bench/evaluation/size.py", "bench/index/index.py"]
