"""Damage to what one stage hands to the next: a folder or a run is changed, and whoever reads it must refuse it."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bench.corpus.texts import open_passages, open_queries
from bench.encoder import checkpoint
from bench.errors import BenchError, DataError
from bench.evaluation.runs import open_run
from bench.files.storage import MANIFEST
from bench.gate import baseline, facts
from bench.gate.check import check, exit_code
from bench.index.centroids import open_centroids
from bench.index.codecs import open_codec
from bench.index.index import open_index
from bench.index.parts import open_codes, open_residuals
from bench.index.shards import open_shard
from bench.search.queries import open_query_vectors
from bench.training.tuples import read_tuples
from bench.verbs.verify import verify


def open_baseline(folder: Path) -> None:
    """Read a baseline as ``bench check`` does; another benchmark's is refused since it cannot be compared."""
    accepted, tolerances = baseline.read(folder / "baseline.json")
    found, _ = facts.read(folder / "facts.json")
    if exit_code(check(found, accepted, tolerances)) == 2:
        raise DataError("the facts cannot be compared")


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
    "model": checkpoint.load,
    "tuples": read_tuples,
    "baseline": open_baseline,
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
    return None if after == before or _meaning(after) == _meaning(before) else f"{path.name}: {way}"


def _meaning(content: bytes) -> object:
    """The value of a JSON file, without the tolerances of a baseline, which people edit; other bytes as they are."""
    try:
        value = json.loads(content)
    except ValueError:
        return content
    return {name: item for name, item in value.items() if name != "tolerances"} if isinstance(value, dict) else value


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
                tally.update(_read(folder, [reader, verify] if (made / kind / MANIFEST).exists() else [reader], done))
            shutil.rmtree(folder)
        found[kind] = tally
    return found


def _read(folder: Path, readers: Sequence[Callable[[Path], object]], done: str) -> list[str]:
    """Return "refused" where every reader refuses a folder, else the worst word with what was done."""
    for reader in readers:
        try:
            reader(folder)
        except BenchError:
            continue
        except Exception as error:
            return ["traceback", f"traceback: {done}: {error!r}"]
        return ["silent", f"silent: {done}"]
    return ["refused"]
