"""Pretrained weights on the Hugging Face hub: download size, and presence in the local cache."""

from collections.abc import Sequence
from fnmatch import fnmatch

from bench.config.weights import Weights, check_revision, is_hub_id
from bench.encoder.base import PATTERNS


def comes_from_hub(base: Weights) -> bool:
    return base.package is None and is_hub_id(base.name)


def is_here(base: Weights, weights: Sequence[str]) -> bool:
    """Return True if the hub cache holds the weight file, under any of its names, at the requested revision."""
    from huggingface_hub import try_to_load_from_cache

    revision = check_revision(base.name, base.revision, "base")
    return any(isinstance(try_to_load_from_cache(base.name, name, revision=revision), str) for name in weights)


def size(base: Weights, weights: Sequence[str], also: Sequence[str] = ()) -> int | None:
    """Return the bytes to download, as reported by the hub; None if the hub cannot be reached."""
    from httpx2 import HTTPError
    from huggingface_hub import HfApi

    try:
        found = HfApi().model_info(base.name, revision=base.revision, files_metadata=True, timeout=10).siblings or []
    except (HTTPError, OSError):
        return None
    sizes = {file.rfilename: file.size or 0 for file in found}
    wanted = next((name for name in weights if name in sizes), None)
    small = [name for name in sizes if any(fnmatch(name, pattern) for pattern in (*PATTERNS, *also))]
    return sum(sizes[name] for name in {*small, *([wanted] if wanted else [])})
