import re
import shutil

from bench.machine import compiled


def test_every_module_with_compiled_loops_counts_in_the_name_of_their_cache():
    found = [
        path
        for path in compiled.HERE.rglob("*.py")
        if re.search(r"^(from|import) (numba|bench\.machine(\.| import )compiled)", path.read_text(), re.M)
    ]
    names = {path.relative_to(compiled.HERE).as_posix() for path in found} - {"machine/compiled.py"}
    assert names == set(compiled.SOURCES)


def test_a_change_of_a_file_that_loops_inline_from_moves_the_cache(tmp_path, monkeypatch):
    for source in compiled.SOURCES:
        (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(compiled.HERE / source, tmp_path / source)
    monkeypatch.setattr(compiled, "HERE", tmp_path)
    monkeypatch.setattr(compiled.numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    before = compiled._folder()
    (tmp_path / "machine/simd.py").write_text("changed")
    after = compiled._folder()
    assert before.parent == after.parent == tmp_path / "cache"
    assert before.name != after.name


def test_without_a_folder_of_numba_it_stands_below_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled.numba.config, "CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compiled._folder().parent == tmp_path / "colbertv2-bench"
