"""Damage to what one stage hands to the next: a folder or a run is changed, and whoever reads it must refuse it."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.corpus.texts import open_passages, open_queries
from bench.errors import BenchError
from bench.evaluation.runs import open_run
from bench.index.centroids import open_centroids
from bench.index.codecs import open_codec
from bench.index.index import open_index
from bench.index.parts import open_codes, open_residuals
from bench.index.shards import open_shard
from bench.search.queries import open_query_vectors

READERS: dict[str, Callable[[Path], object]] = {
    "corpus": open_passages,
    "queries": open_queries,
    "vectors/0": open_shard,
    "query-vectors": open_query_vectors,
    "centroids": open_centroids,
    "codec": open_codec,
    "codes/0": open_codes,
    "residuals/0": open_residuals,
    "index": open_index,
    "plain": open_index,
    "run": lambda folder: open_run(folder / "run.trec.gz"),
}
WAYS = ("flip", "cut", "grow", "delete", "swap", "header", "manifest")
NUMBERS = (0, -1, None, [], "x", 1e300, True, {"a": []})


def damage(folder: Path, other: Path, way: str, rng: np.random.Generator) -> str | None:
    """Damage one file; other: the same folder of another benchmark. Return what was done, None if nothing could be."""
    files = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.name != "metrics.json")
    if way == "header":
        files = [path for path in files if path.suffix == ".npy"]
    if way == "manifest":
        files = [path for path in files if path.suffix == ".json"]
    if not files:
        return None
    path = files[rng.integers(len(files))]
    if way == "delete":
        path.unlink()
        return f"{path.name} deleted"
    before = path.read_bytes()
    after = changed(before, way, other / path.name, rng)
    path.write_bytes(after)
    same = after == before or (way == "manifest" and json.loads(after) == json.loads(before))
    return None if same else f"{path.name}: {way}"


def changed(before: bytes, way: str, others: Path, rng: np.random.Generator) -> bytes:
    """The bytes of a file after damage."""
    content = bytearray(before)
    match way:
        case "flip":
            content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
        case "cut":
            content = content[: int(rng.integers(len(content)))]
        case "grow":
            content += bytes(rng.integers(0, 256, int(rng.integers(1, 200)), np.uint8))
        case "header":
            content[int(rng.integers(10, 64))] = int(rng.integers(32, 127))
        case "manifest":
            return json.dumps(edited(json.loads(content), rng)).encode()
        case "swap":
            return others.read_bytes()
    return bytes(content)


def edited(value: object, rng: np.random.Generator) -> object:
    """A JSON value with one value in it replaced or removed."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = sorted(value)[rng.integers(len(value))]
        if rng.random() < 0.15:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: edited(value[key], rng)}
    if isinstance(value, int | float) and rng.random() < 0.5:
        return value * 10 + 1
    return NUMBERS[rng.integers(len(NUMBERS))]


def tortured(made: Path, other: Path, work: Path, count: int, seed: int) -> dict[str, Counter]:
    """Damage each kind ``count`` times. Return counts by kind: refused, silent, errors of Python, and what was silent."""
    rng = np.random.default_rng(seed)
    found = {}
    for kind, reader in READERS.items():
        tally: Counter[str] = Counter()
        while sum(tally[word] for word in ("refused", "silent", "traceback")) < count:
            folder = work / "damaged"
            shutil.copytree(made / kind, folder)
            done = damage(folder, other / kind, WAYS[int(rng.integers(len(WAYS)))], rng)
            if done is not None:
                try:
                    reader(folder)
                    tally["silent"] += 1
                    tally[f"silent: {done}"] += 1
                except BenchError:
                    tally["refused"] += 1
                except Exception as error:
                    tally["traceback"] += 1
                    tally[f"traceback: {done}: {error!r}"] += 1
            shutil.rmtree(folder)
        found[kind] = tally
    return found
