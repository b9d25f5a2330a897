import re

import pytest

from bench.files import provenance
from bench.files.provenance import code_digest, context, direct_imports, import_closure

FILES = {
    "pkg/__init__.py": '"""A package."""\n',
    "pkg/verb.py": "import json\n\nfrom pkg import middle\n\n\ndef run():\n    return middle.half(json.loads('3'))\n",
    "pkg/middle.py": "from pkg.sub.deep import LIMIT\n\n\ndef half(value):\n    return value / LIMIT\n",
    "pkg/sub/__init__.py": "",
    "pkg/sub/deep.py": "LIMIT = 2\n",
    "pkg/unrelated.py": "OTHER = 1\n",
}


@pytest.fixture
def digest(tmp_path):
    """Digest of ``pkg.verb`` in a fresh tree with some files replaced: parsed files are cached by path."""
    trees = iter(range(100))

    def make(changed=None, module="pkg.verb"):
        return code_digest(module, root=write_tree(tmp_path / f"tree-{next(trees)}", changed))

    return make


def write_tree(root, changed=None):
    for name, text in {**FILES, **(changed or {})}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_the_same_code_has_the_same_digest_in_another_folder(digest):
    assert digest() == digest()
    assert re.fullmatch("[0-9a-f]{16}", digest())


@pytest.mark.parametrize(
    "middle",
    [
        "# why\nfrom pkg.sub.deep import LIMIT\n\n\ndef half(value):\n    return value / LIMIT  # because\n",
        '"""Module."""\nfrom pkg.sub.deep import LIMIT\n\n\ndef half(value):\n    """Half."""\n    return value / LIMIT\n',
        "from pkg.sub.deep import (\n    LIMIT,\n)\ndef half( value ):\n  return (value\n    / LIMIT)\n",
    ],
    ids=["comments", "docstrings", "formatting"],
)
def test_comments_docstrings_and_formatting_change_no_digest(digest, middle):
    assert digest({"pkg/middle.py": middle}) == digest()


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pkg/sub/deep.py", "LIMIT = 3\n"),
        ("pkg/sub/deep.py", "LIMIT = 2.0\n"),
        ("pkg/sub/deep.py", "LIMIT = '2'\n"),
        ("pkg/middle.py", "from pkg.sub.deep import LIMIT\n\n\ndef half(value):\n    return LIMIT / value\n"),
        ("pkg/middle.py", "from pkg.sub.deep import LIMIT\n\n\ndef half(value, more=1):\n    return value / LIMIT\n"),
        ("pkg/middle.py", "LIMIT = 2\n\n\ndef half(value):\n    return value / LIMIT\n"),
    ],
)
def test_a_change_in_a_module_that_is_imported_indirectly_changes_the_digest(digest, file, text):
    assert digest({file: text}) != digest()


def test_a_string_that_is_no_docstring_counts(digest):
    one = digest({"pkg/sub/deep.py": 'LIMIT = 2\nNAME = "one"\n'})
    assert one != digest({"pkg/sub/deep.py": 'LIMIT = 2\nNAME = "two"\n'})


def test_the_text_of_an_attribute_is_a_docstring_too(digest):
    field = 'class Limits:\n    most: int = 2\n    """{}"""\n    least: int = 1\n'
    texts = [{"pkg/sub/deep.py": "LIMIT = 2\n" + field.format(text)} for text in ("One.", "Two.")]
    assert digest(texts[0]) == digest(texts[1])
    assert digest(texts[0]) != digest({"pkg/sub/deep.py": texts[0]["pkg/sub/deep.py"].replace("= 1", "= 0")})


def test_an_unrelated_module_changes_no_digest(digest):
    assert digest({"pkg/unrelated.py": "OTHER = 2\n"}) == digest()
    assert digest({"pkg/new.py": "NEW = 1\n"}) == digest()


def test_different_modules_have_different_digests(digest):
    assert len({digest(module=module) for module in ("pkg.verb", "pkg.middle", "pkg.sub.deep", "pkg.unrelated")}) == 4


def test_the_closure_follows_imports_through_modules(tmp_path):
    root = write_tree(tmp_path)
    assert import_closure("pkg.verb", root) == {"pkg", "pkg.verb", "pkg.middle", "pkg.sub", "pkg.sub.deep"}
    assert import_closure("pkg.unrelated", root) == {"pkg", "pkg.unrelated"}


def test_the_closure_follows_imports_inside_functions_classes_and_conditions(tmp_path):
    text = """
def run():
    from pkg.middle import half
    return half

class Lazy:
    def open(self):
        import pkg.unrelated

if run:
    from pkg.extra import MORE
"""
    root = write_tree(tmp_path, {"pkg/verb.py": text, "pkg/extra.py": "MORE = 1\n"})
    assert {"pkg.middle", "pkg.sub.deep", "pkg.unrelated", "pkg.extra"} <= import_closure("pkg.verb", root)


def test_modules_that_import_each_other_end(tmp_path):
    root = write_tree(tmp_path, {"pkg/sub/deep.py": "import pkg.middle\n\nLIMIT = 2\n"})
    assert import_closure("pkg.middle", root) == {"pkg", "pkg.middle", "pkg.sub", "pkg.sub.deep"}


def test_foreign_modules_and_names_that_are_no_modules_are_left_out(tmp_path):
    root = write_tree(tmp_path, {"pkg/verb.py": "import os, numpy.linalg\nfrom pkg.middle import half\nimport pkgother\n"})
    assert direct_imports(root / "pkg" / "verb.py", root) == {"pkg.middle"}


def test_the_code_in_the_packages_above_an_imported_module_counts(digest):
    assert digest({"pkg/sub/__init__.py": "from pkg.sub import deep\n\ndeep.LIMIT = 5\n"}) != digest()


def test_an_unknown_module_is_refused(tmp_path):
    with pytest.raises(ModuleNotFoundError, match=r"no module pkg\.gone"):
        code_digest("pkg.gone", root=write_tree(tmp_path))


def test_search_depends_on_every_engine_and_neither_on_the_encoder_nor_on_how_codecs_are_fitted():
    closure = import_closure("bench.search.engines")
    engines = {"bench.search.exact", "bench.search.colbertv2", "bench.search.plaid", "bench.search.flat"}
    assert engines | {"bench.search.kernels.reference", "bench.index.index", "bench.codec.int8_centroids"} <= closure
    others = (
        "bench.encoder",
        "bench.training",
        "bench.corpus",
        "bench.config.training",
        "bench.codec.residual",
        "bench.codec.fitting",
    )
    assert not {name for name in closure if name.startswith(others)}


def test_the_context_names_the_code_and_the_installed_packages():
    found = context("bench.search.engines")
    assert found["code"] == code_digest("bench.search.engines")
    assert set(found["packages"]) == set(provenance.PACKAGES)
    assert found["packages"]["numpy"] == __import__("numpy").__version__
