"""Provenance of a result: the code of its stage, the package versions and the machine."""

import ast
import functools
import hashlib
import importlib.metadata
import os
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from bench.files import collector

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("numpy", "torch", "transformers", "tokenizers", "faiss-cpu", "ir-datasets", "ir-measures", "bm25s", "scipy")


def package_versions(names: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the installed versions of the packages that can change a result."""
    return {name: _version(name) for name in names}


@functools.cache
def _version(package: str) -> str:
    return importlib.metadata.version(package)


def context(module: str) -> dict[str, Any]:
    """Return the provenance that a manifest records: digest of the code behind a verb, and package versions."""
    return {"code": code_digest(module), "packages": package_versions()}


def code_digest(*modules: str, root: Path = ROOT) -> str:
    """Return the digest of the given modules and of all modules of this repository that they import, directly or not.

    The digest is computed on syntax trees without the docstrings of modules, classes and functions, so that these
    docstrings, comments and formatting do not change the digest.
    """
    digest = hashlib.sha256()
    for name in sorted(set().union(*(import_closure(module, root) for module in modules))):
        digest.update(f"{name}\n{_read(_source(name, root)).meaning}\n".encode())
    return digest.hexdigest()[:16]


def import_closure(module: str, root: Path = ROOT) -> set[str]:
    """Return the dotted names of the modules below ``root`` that importing ``module`` can reach, including ``module``."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(direct_imports(_source(name, root), root))
            waiting.extend([name.rpartition(".")[0]] if "." in name else [])
    return found


@functools.cache
def direct_imports(source: Path, root: Path = ROOT) -> frozenset[str]:
    """Return the dotted names of this repository's modules in the import statements of one file, at any position."""
    ours = source.relative_to(root).parts[0]
    names = _read(source).imports
    return frozenset(name for name in names if name.split(".")[0] == ours and _source_or_none(name, root))


def _source_or_none(name: str, root: Path) -> Path | None:
    base = root.joinpath(*name.split("."))
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.exists()), None)


def _source(name: str, root: Path) -> Path:
    path = _source_or_none(name, root)
    if path is None:
        raise ModuleNotFoundError(f"no module {name} below {root}")
    return path


class _Read(NamedTuple):
    """Relevant content of a source file: dotted names in import statements, digest of the syntax tree without docstrings."""

    imports: frozenset[str]
    meaning: str


@functools.cache
def _read(source: Path) -> _Read:
    with collector.off():
        tree = ast.parse(source.read_text(encoding="utf-8"))
    imports: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names):
                imports.update(alias.name for alias in names)
            case ast.ImportFrom(str(module), names):
                imports.update((module, *(f"{module}.{alias.name}" for alias in names)))
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                node.body = [statement for statement in node.body if not _is_text(statement)]
    return _Read(frozenset(imports), hashlib.sha256(ast.dump(tree).encode()).hexdigest())


def _is_text(statement: ast.stmt) -> bool:
    """Return whether a statement is a docstring, of a module, a class, a function or an attribute."""
    match statement:
        case ast.Expr(ast.Constant(str())):
            return True
    return False


def cpu_flags() -> frozenset[str]:
    """Return the instruction-set flags of this machine's processor, or an empty set if the system does not list them."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return frozenset()
    lines = (line for line in path.read_text().splitlines() if line.startswith("flags"))
    return frozenset(next(lines, "").partition(":")[2].split())


def has_native_bfloat16() -> bool:
    """Return True if the processor has bfloat16 matrix instructions, which make bfloat16 faster than float32."""
    return bool({"avx512_bf16", "amx_bf16"} & cpu_flags())


def cpu_kind() -> str:
    """Return vendor, family and model number of this machine's processor, or what the system calls the processor."""
    path = Path("/proc/cpuinfo")
    pairs = (line.partition(":") for line in path.read_text().splitlines()) if path.exists() else ()
    found = {name.strip(): value.strip() for name, _, value in pairs}
    names = ("vendor_id", "cpu family", "model")
    return " ".join(found[name] for name in names) if set(names) <= set(found) else platform.processor()


def host_record() -> dict[str, Any]:
    """Return a description of the machine, for measurements only: a fact file must not depend on the machine."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "native_bfloat16": has_native_bfloat16(),
    }
