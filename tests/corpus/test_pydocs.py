"""The embedded corpus: what counts as a query and a passage, and what is written for it."""

import ast
import json
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackagePath
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from bench.corpus import pydocs
from bench.errors import DataError


def words(count, prefix="w"):
    return " ".join(f"{prefix}{number}" for number in range(count))


def function(name, summary, body):
    return f'def {name}():\n    """{summary}\n\n    {body}\n    """\n\n\n'


@pytest.fixture
def fake_distribution(tmp_path, monkeypatch):
    """Writes the given files and makes them the only distribution there is."""

    def make(**sources):
        files = []
        for name, source in sources.items():
            path = tmp_path / f"{name}.py"
            path.write_text(source, encoding="utf-8")
            files.append((f"fake/{name}.py", path))
        monkeypatch.setattr(pydocs, "source_files", lambda distribution: sorted(files))
        monkeypatch.setattr(pydocs, "SUBSETS", {"fake": ("fake",)})
        monkeypatch.setattr(pydocs, "versions", lambda subset: {"fake": "1.0"})

    return make


@pytest.mark.parametrize(("count", "accepted"), [(3, False), (4, True), (30, True), (31, False)])
def test_a_summary_has_4_to_30_words(count, accepted):
    found = pydocs.split_docstring(f"{words(count)}\n\n{words(15, 'b')}")
    assert found == ((words(count), words(15, "b")) if accepted else None)


@pytest.mark.parametrize(("count", "accepted"), [(14, False), (15, True)])
def test_a_passage_has_at_least_15_words(count, accepted):
    found = pydocs.split_docstring(f"{words(4)}\n\n{words(count, 'b')}")
    assert found == ((words(4), words(count, "b")) if accepted else None)


def test_a_summary_over_two_lines_becomes_one_and_the_body_keeps_its_lines():
    docstring = f"First line of\n    the summary.\n\n    {words(8, 'a')}   \n\n      {words(8, 'b')}\n    "
    assert pydocs.split_docstring(docstring) == (
        "First line of the summary.",
        f"{words(8, 'a')}\n\n  {words(8, 'b')}",
    )


def test_a_docstring_without_a_body_makes_no_pair():
    assert pydocs.split_docstring(words(20)) is None


def test_docstrings_come_with_qualified_names_in_the_order_of_lines():
    source = '''"""the module"""
class Outer:
    """the class"""
    def method(self):
        """a method"""
        def inner():
            """a function in a method"""
    class Nested:
        async def deep(self):
            """a coroutine"""
if True:
    def chosen():
        """under if"""
else:
    def other():
        """under else"""
try:
    def tried():
        """under try"""
except ImportError:
    def fallback():
        """under except"""
finally:
    def last():
        """under finally"""
def undocumented():
    pass
with open("x"):
    for _ in ():
        def looped():
            """under with and for"""
'''
    assert list(pydocs.docstrings(ast.parse(source))) == [
        ("", "the module"),
        ("Outer", "the class"),
        ("Outer.method", "a method"),
        ("Outer.method.inner", "a function in a method"),
        ("Outer.Nested.deep", "a coroutine"),
        ("chosen", "under if"),
        ("other", "under else"),
        ("tried", "under try"),
        ("fallback", "under except"),
        ("last", "under finally"),
        ("looped", "under with and for"),
    ]


def test_an_except_branch_comes_before_the_else_branch_below_it():
    source = '''
try:
    pass
except ImportError:
    def fallback():
        """under except"""
else:
    def other():
        """under else"""
'''
    assert [name for name, _ in pydocs.docstrings(ast.parse(source))] == ["fallback", "other"]


def test_a_function_inside_a_match_statement_is_found():
    source = '''
match 1:
    case 1:
        def matched():
            """under case"""
'''
    assert list(pydocs.docstrings(ast.parse(source))) == [("matched", "under case")]


def test_of_two_equal_queries_or_passages_the_first_one_counts(fake_distribution):
    fake_distribution(
        a=function("one", words(4, "q"), words(15, "p")) + function("same_query", words(4, "q"), words(15, "x")),
        b=function("same_passage", words(4, "y"), words(15, "p")) + function("two", words(4, "z"), words(15, "z")),
    )
    assert list(pydocs.pairs(["fake"])) == [
        pydocs.Pair("fake/a.py:one", words(4, "q"), words(15, "p")),
        pydocs.Pair("fake/b.py:two", words(4, "z"), words(15, "z")),
    ]


def test_a_refused_pair_leaves_its_query_and_passage_free_for_later_ones(fake_distribution):
    fake_distribution(
        a=function("one", words(4, "q"), words(15, "p"))
        + function("dropped", words(4, "q"), words(15, "x"))
        + function("later", words(4, "r"), words(15, "x"))
    )
    assert [pair.id for pair in pydocs.pairs(["fake"])] == ["fake/a.py:one", "fake/a.py:later"]


def test_two_functions_of_one_name_get_different_ids(fake_distribution):
    fake_distribution(a=function("f", words(4, "q"), words(15, "p")) + function("f", words(4, "r"), words(15, "s")))
    assert [pair.id for pair in pydocs.pairs(["fake"])] == ["fake/a.py:f", "fake/a.py:f#2"]


def test_a_module_docstring_is_a_pair_of_its_own(fake_distribution):
    fake_distribution(a=f'"""{words(4)}\n\n{words(15, "b")}\n"""\n')
    assert [pair.id for pair in pydocs.pairs(["fake"])] == ["fake/a.py:module"]


@pytest.mark.parametrize("broken", ["type X = int\n", "def f(:\n", "x = '\0'\n", "print 'old'\n"])
def test_a_file_that_does_not_parse_is_skipped(fake_distribution, broken):
    fake_distribution(a=broken, b=function("good", words(4), words(15)))
    assert [pair.id for pair in pydocs.pairs(["fake"])] == ["fake/b.py:good"]


def test_the_files_of_a_distribution_come_in_the_order_of_their_names():
    names = [name for name, _ in pydocs.source_files("packaging")]
    assert names == sorted(names)
    assert "packaging/version.py" in names
    assert all(path.suffix == ".py" and path.exists() for _, path in pydocs.source_files("packaging"))


def test_folders_that_numpy_has_for_some_pythons_alone_are_left_out(monkeypatch):
    named = [PackagePath(f"numpy/{name}.py") for name in ("ma/core", "distutils/core", "distutils_like")]
    for path in named:
        path.dist = SimpleNamespace(locate_file=lambda file: Path("/", file))
    monkeypatch.setattr(pydocs, "_installed", lambda distribution: SimpleNamespace(files=named))
    assert [name for name, _ in pydocs.source_files("numpy")] == ["numpy/distutils_like.py", "numpy/ma/core.py"]


def test_source_files_of_a_distribution_that_is_not_installed_are_refused():
    with pytest.raises(DataError, match=r"no-such-distribution-here.*colbertv2-bench\[pydocs\]"):
        pydocs.source_files("no-such-distribution-here")


def test_extracting_a_subset_of_a_distribution_that_is_not_installed_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pydocs, "SUBSETS", {"fake": ("no-such-distribution-here",)})
    with pytest.raises(DataError, match=r"no-such-distribution-here.*colbertv2-bench\[pydocs\]"):
        pydocs.extract("fake", tmp_path)


def test_extraction_writes_one_line_per_pair_and_one_judgement_each(fake_distribution, tmp_path):
    fake_distribution(a=function("one", words(4, "q"), words(15, "p")) + function("two", words(5, "r"), words(16, "s")))
    folder = pydocs.extract("fake", tmp_path / "home")
    rows = [json.loads(line) for line in (folder / "pairs.jsonl").read_text().splitlines()]
    assert rows == [
        {"id": "fake/a.py:one", "query": words(4, "q"), "passage": words(15, "p")},
        {"id": "fake/a.py:two", "query": words(5, "r"), "passage": words(16, "s")},
    ]
    assert (folder / "qrels.txt").read_text() == "fake/a.py:one 0 fake/a.py:one 1\nfake/a.py:two 0 fake/a.py:two 1\n"


def test_a_limit_keeps_the_first_pairs(fake_distribution, tmp_path, monkeypatch):
    fake_distribution(a=function("one", words(4, "q"), words(15, "p")) + function("two", words(5, "r"), words(16, "s")))
    monkeypatch.setattr(pydocs, "LIMITS", {"fake": 1})
    assert (pydocs.extract("fake", tmp_path) / "qrels.txt").read_text() == "fake/a.py:one 0 fake/a.py:one 1\n"


def test_a_second_extraction_reads_no_source_file(fake_distribution, tmp_path, monkeypatch):
    fake_distribution(a=function("one", words(4), words(15)))
    first = pydocs.extract("fake", tmp_path)

    def refuse(distribution):
        raise AssertionError("read again")

    monkeypatch.setattr(pydocs, "source_files", refuse)
    assert pydocs.extract("fake", tmp_path) == first


def test_one_of_several_extractions_at_the_same_time_reads_the_source_files(fake_distribution, tmp_path, monkeypatch):
    fake_distribution(a=function("one", words(4), words(15)))
    reading, go_on, read = Event(), Event(), []

    def slow(distribution, files=pydocs.source_files):
        read.append(distribution)
        reading.set()
        assert go_on.wait(60)
        return files(distribution)

    monkeypatch.setattr(pydocs, "source_files", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(pydocs.extract, "fake", tmp_path)
        assert reading.wait(60)
        second = pool.submit(pydocs.extract, "fake", tmp_path)
        assert not second.done()
        go_on.set()
        assert first.result() == second.result()
    assert read == ["fake"]


def test_other_versions_of_the_packages_make_another_folder(fake_distribution, tmp_path, monkeypatch):
    fake_distribution(a=function("one", words(4), words(15)))
    first = pydocs.extract("fake", tmp_path)
    monkeypatch.setattr(pydocs, "versions", lambda subset: {"fake": "1.1"})
    assert pydocs.extract("fake", tmp_path) != first


def test_an_extraction_that_fails_leaves_no_file_and_the_next_one_is_whole(fake_distribution, tmp_path, monkeypatch):
    fake_distribution(a=function("one", words(4), words(15)))
    home = tmp_path / "home"

    def fail(path, text):
        raise OSError("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(pydocs, "write_text", fail)
        with pytest.raises(OSError, match="disk full"):
            pydocs.extract("fake", home)
    assert not list(home.rglob("qrels.txt"))
    assert not list(home.rglob("*.partial"))
    assert len((pydocs.extract("fake", home) / "qrels.txt").read_text().splitlines()) == 1


def test_the_garbage_collector_is_on_again_after_an_extraction_that_fails(tmp_path, monkeypatch):
    import gc

    def fail(distribution):
        raise DataError("stopped")

    monkeypatch.setattr(pydocs, "SUBSETS", {"fake": ("fake",)})
    monkeypatch.setattr(pydocs, "versions", lambda subset: {"fake": "1.0"})
    monkeypatch.setattr(pydocs, "source_files", fail)
    with pytest.raises(DataError, match="stopped"):
        pydocs.extract("fake", tmp_path)
    assert gc.isenabled()
