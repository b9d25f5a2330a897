"""A reproducible evaluation and benchmarking harness for ColBERTv2 (arXiv 2112.01488)."""

from importlib import import_module
from typing import Any

# The face for notebooks. Its modules are imported when a name is used: a job needs none of them, and they need torch.
_PLACES = {
    "load_model": "bench.notebook.model",
    "build_index": "bench.notebook.collection",
    "open_index": "bench.notebook.collection",
    "evaluate": "bench.notebook.judging",
    "compare": "bench.notebook.judging",
}
__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
