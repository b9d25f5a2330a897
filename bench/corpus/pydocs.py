"""The embedded corpus: a retrieval task built from the docstrings of installed distributions.

A query is the summary of a docstring (the first paragraph, 4 to 30 words). The only relevant passage of the query is the
rest of the docstring (at least 15 words). Source files are read as installed and never imported. Distributions are read in
the order given here, files in the order of their names and docstrings in the order of their lines. The first of two equal
queries or passages is kept.
"""

import ast
import importlib.metadata
import inspect
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from bench.errors import DataError
from bench.files import collector
from bench.files.storage import atomic, digest_of, write_text

SUBSETS: dict[str, tuple[str, ...]] = {
    "train": ("networkx", "scikit-learn", "scipy", "sympy", "torch", "transformers"),
    "test": ("matplotlib", "numpy", "pandas"),
    "tiny": ("fsspec", "packaging", "click", "tqdm"),
}
LIMITS = {"tiny": 200}
OLDEST = (3, 11)  # Python version whose syntax is parsed, so that newer versions parse no additional files
NOT_EVERYWHERE = ("numpy/distutils/",)  # folders that a distribution has only for some of the supported Python versions
QUERY_WORDS = (4, 30)
PASSAGE_WORDS = 15

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Pair:
    """A docstring split into two parts. ``id`` is the location: ``package/module.py:Class.method``."""

    id: str
    query: str
    passage: str


def split_docstring(docstring: str) -> tuple[str, str] | None:
    """Return the summary on one line and the body, or None if either has too few or too many words."""
    summary, _, body = inspect.cleandoc(docstring).partition("\n\n")
    summary, body = " ".join(summary.split()), re.sub(r"[ \t]+\n", "\n", body).strip()
    low, high = QUERY_WORDS
    if not low <= len(summary.split()) <= high or len(body.split()) < PASSAGE_WORDS:
        return None
    return summary, body


def docstrings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Iterate over qualified names and docstrings of the module and its classes and functions, in the order of lines."""

    def visit(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
        if isinstance(node, _DOCUMENTED):
            docstring = ast.get_docstring(node, clean=False)
            if docstring:
                yield name, docstring
        for child in _statements(node):
            inner = getattr(child, "name", None) if isinstance(child, _DOCUMENTED) else None
            yield from visit(child, ".".join(filter(None, (name, inner))))

    return visit(tree, "")


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    for field in ("body", "handlers", "orelse", "finalbody", "cases"):
        yield from getattr(node, field, ())


def source_files(distribution: str) -> list[tuple[str, Path]]:
    """Return name and path of the Python files that a distribution has for every Python version, sorted by name."""
    files = _installed(distribution).files or []
    named = ((file.as_posix(), file) for file in files if file.suffix == ".py")
    return sorted((name, Path(str(file.locate()))) for name, file in named if not name.startswith(NOT_EVERYWHERE))


def pairs(distributions: Iterable[str]) -> Iterator[Pair]:
    """Yield all pairs of the given distributions, without repeated queries or passages."""
    queries: set[str] = set()
    passages: set[str] = set()
    ids: dict[str, int] = {}
    for distribution in distributions:
        for name, path in source_files(distribution):
            for qualified, docstring in docstrings(_parse(path)):
                parts = split_docstring(docstring)
                if parts is None or parts[0] in queries or parts[1] in passages:
                    continue
                queries.add(parts[0])
                passages.add(parts[1])
                place = f"{name}:{qualified or 'module'}".replace(" ", "_")
                ids[place] = ids.get(place, 0) + 1
                yield Pair(place if ids[place] == 1 else f"{place}#{ids[place]}", *parts)


def _parse(path: Path) -> ast.Module:
    """Return the syntax tree of a file, or an empty tree if ``OLDEST`` cannot parse the file (templates, newer syntax)."""
    try:
        return ast.parse(path.read_bytes(), feature_version=OLDEST)
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


def versions(subset: str) -> dict[str, str]:
    """Return the installed versions of a subset's distributions. Versions and code of this module determine the content."""
    return {name: _installed(name).version for name in SUBSETS[subset]}


def _installed(distribution: str) -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError as error:
        raise DataError(
            f"pydocs needs the distribution {distribution}, which is not installed: pip install "
            "'colbertv2-bench[pydocs]', which has the version that the corpus is made of"
        ) from error


def extract(subset: str, folder: Path) -> Path:
    """Write ``pairs.jsonl`` and ``qrels.txt`` of a subset below ``folder`` unless they exist, and return their folder.

    The folder name contains a digest of the distribution versions, so an upgrade creates a new folder. If several processes
    call this function, one process extracts the subset and the others wait.
    """
    target = (
        folder
        / f"{subset}-{digest_of([versions(subset), QUERY_WORDS, PASSAGE_WORDS, LIMITS.get(subset), NOT_EVERYWHERE])[:12]}"
    )
    if (target / "qrels.txt").exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{target.name}.lock"):
        if not (target / "qrels.txt").exists():
            _extract(subset, target)
    return target


def _extract(subset: str, target: Path) -> None:
    with collector.off():
        found = list(itertools.islice(pairs(SUBSETS[subset]), LIMITS.get(subset)))
    with atomic(target / "pairs.jsonl") as temporary, temporary.open("w", encoding="utf-8") as stream:
        for pair in found:
            stream.write(json.dumps({"id": pair.id, "query": pair.query, "passage": pair.passage}) + "\n")
    write_text(target / "qrels.txt", "".join(f"{pair.id} 0 {pair.id} 1\n" for pair in found))
