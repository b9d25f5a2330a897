"""
The protocol by which a peer is measured, the same for each: threads, clocks, vectors, one JSON record and its rankings.

A peer lives in an environment of its own, so nothing here needs more than numpy. Every step runs in a fresh process that
sees no more CPUs and no more threads than it is measured with; the process that writes the record never loads the peer.

    record.json   what was measured; its keys are those of ``record`` below
    record.npz    passage numbers ``[queries, 100]`` int64 by setting, the best first, -1 where a ranking ends early
"""

import argparse
import contextlib
import hashlib
import importlib.metadata
import json
import multiprocessing
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

DEPTH = 100
NBITS = 2
ROUNDS = 3
RECONSTRUCTED = 50_000
FLAGS = ("avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")

Clock = Callable[[], float]
Setting = Mapping[str, Any]


class RefusedError(Exception):
    """An input or a machine that a measurement cannot use; reported as one line."""


@dataclass(frozen=True)
class Corpus:
    """vectors ``[vectors, dim]`` float16 of norm 1 in the order of the passages; doclens ``[passages]``, their numbers."""

    vectors: np.ndarray
    doclens: np.ndarray


class Engine(Protocol):
    """An index opened for one setting. A query is ``[query vectors, dim]`` float32 without padding."""

    def single(self, query: np.ndarray) -> Sequence[int]:
        """Passage numbers, the best first."""

    def batch(self, queries: Sequence[np.ndarray]) -> Sequence[Sequence[int]]:
        """The same for many queries, by one call if the peer has one."""


@dataclass(frozen=True)
class OneCall:
    """An engine whose one call takes a list of tensors and the values of a setting, and gives pairs of passage and score."""

    search: Callable[..., Sequence[Sequence[tuple[int, float]]]]
    values: Setting

    def single(self, query: np.ndarray) -> Sequence[int]:
        return self.batch([query])[0]

    def batch(self, queries: Sequence[np.ndarray]) -> Sequence[Sequence[int]]:
        import torch

        found = self.search([torch.from_numpy(query) for query in queries], **self.values)
        return [[passage for passage, _ in ranking] for ranking in found]


def always(_: Setting) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Peer:
    """What a peer's script hands over; every function imports the peer itself, on the threads that it is told.

    name: of its package; variant: of several ways of building with it, the one that this is; setup(threads): import and
    compile; build(corpus, index, nbits, threads, seed): write the index, and return centroids, iterations of k-means and
    seconds by stage; decode(index, corpus, positions, threads): vectors ``[positions, dim]``; open(index, setting, threads):
    an engine; exact: the setting, if there is one, that searches float vectors exhaustively, which is not timed; batched:
    whether a setting is timed with all queries in one call, too.
    """

    name: str
    variant: str | None = None
    packages: Sequence[str]
    settings: Sequence[Setting]
    batch: str
    setup: Callable[[int], None]
    build: Callable[[Corpus, Path, int, int, int], tuple[float, dict[str, Any]]]
    decode: Callable[[Path, Corpus, np.ndarray, int], np.ndarray]
    open: Callable[[Path, Setting, int], Engine]
    exact: Setting | None = None
    batched: Callable[[Setting], bool] = always


def main(peer: Peer, argv: Sequence[str] | None = None) -> None:
    """Measure a peer as the command line says; exits with one line for anything that is refused."""
    args = _arguments(peer).parse_args(argv)
    try:
        check_cpus(args.threads, len(os.sched_getaffinity(0)))
        read_corpus(args.vectors, mapped=True)
        queries = read_queries(args.queries)
        index, extensions = args.work / "index", args.work / "extensions"
        for folder in (index, extensions):
            shutil.rmtree(folder, ignore_errors=True)
        args.work.mkdir(parents=True, exist_ok=True)
        os.environ["TORCH_EXTENSIONS_DIR"] = str(extensions.resolve())
        found, rankings = record(peer, args, index, queries)
    except RefusedError as error:
        sys.exit(f"{peer.name}: {error}")
    write(args.output, found, rankings)


def _arguments(peer: Peer) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"Measure {peer.name} over given token vectors.", allow_abbrev=False)
    parser.add_argument("--vectors", type=Path, nargs="+", required=True, help="shards: vectors.npy and doclens.npy")
    parser.add_argument("--queries", type=Path, required=True, help="folder of vectors.npy [queries, query vectors, dim]")
    parser.add_argument("--nbits", type=int, default=NBITS, help="bits per dimension of a residual")
    parser.add_argument("--threads", type=int, required=True, help="threads to build and to search with; 1 is searched too")
    parser.add_argument("--seed", type=int, required=True, help="seed of the build and of the sample to reconstruct")
    parser.add_argument("--work", type=Path, required=True, help="folder for the index and for what the peer compiles")
    parser.add_argument("--output", type=Path, required=True, help="JSON record; the rankings go beside it, as .npz")
    return parser


def record(
    peer: Peer, args: argparse.Namespace, index: Path, queries: list[np.ndarray]
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What is measured, and the rankings by setting."""
    machine = host()
    setup = in_fresh_process(args.threads, _timed_setup, peer, args.threads)
    taken, build = in_fresh_process(args.threads, _build, peer, args.vectors, index, args.nbits, args.threads, args.seed)
    error = in_fresh_process(args.threads, _reconstruction_error, peer, args.vectors, index, args.threads, args.seed)
    searches, rankings = searched(peer, args.threads, index, queries)
    if peer.exact is not None:
        rankings["exact"] = in_fresh_process(args.threads, _exact, peer, index, args.threads, queries)
    corpus = read_corpus(args.vectors, mapped=True)
    size = folder_bytes(index)
    found = {
        "system": ", ".join([peer.name, *filter(None, [peer.variant, "" if args.nbits == NBITS else f"{args.nbits} bits"])]),
        "package": peer.name,
        "version": importlib.metadata.version(peer.name),
        "nbits": args.nbits,
        "seed": args.seed,
        "inputs": {"vectors": digest(args.vectors, ("vectors.npy", "doclens.npy")), "queries": digest([args.queries])},
        "counts": {
            "passages": len(corpus.doclens),
            "vectors": len(corpus.vectors),
            "dim": corpus.vectors.shape[1],
            "queries": len(queries),
        },
        "build": {"threads": args.threads, "seconds": taken, **build},
        "bytes": size,
        "bytes_per_vector": size / len(corpus.vectors),
        "reconstruction_error": error,
        "setup_seconds": setup,
        "searches": searches,
        "host": machine,
        "packages": {name: importlib.metadata.version(name) for name in peer.packages},
    }
    return found, rankings


def check_cpus(threads: int, available: int) -> None:
    if not 1 <= threads <= available:
        raise RefusedError(f"--threads {threads} cannot be measured on {available} CPUs; ask for 1 to {available}")


def read_corpus(shards: Sequence[Path], *, mapped: bool = False) -> Corpus:
    """Passages counted through all shards; raises RefusedError for files that do not fit together."""
    parts = [Corpus(_load(folder / "vectors.npy", mapped), _load(folder / "doclens.npy")) for folder in shards]
    for folder, part in zip(shards, parts, strict=True):
        if part.vectors.dtype != np.float16 or part.vectors.ndim != 2:
            raise RefusedError(f"{folder} holds {part.vectors.dtype} {part.vectors.shape}, expected float16 [vectors, dim]")
        if int(part.doclens.sum()) != len(part.vectors):
            raise RefusedError(f"doclens of {folder} add up to {part.doclens.sum()}, it has {len(part.vectors)} vectors")
    vectors = parts[0].vectors if len(parts) == 1 else np.concatenate([part.vectors for part in parts])
    return Corpus(vectors, np.concatenate([part.doclens for part in parts]).astype(np.int64))


def read_queries(folder: Path) -> list[np.ndarray]:
    """One ``[query vectors, dim]`` float32 per query, without the rows of zeros that are padding."""
    vectors = _load(folder / "vectors.npy")
    if vectors.dtype != np.float32 or vectors.ndim != 3:
        raise RefusedError(f"{folder} holds {vectors.dtype} {vectors.shape}, expected float32 [queries, query vectors, dim]")
    if not vectors.any(axis=(1, 2)).all():
        raise RefusedError(f"query {int(vectors.any(axis=(1, 2)).argmin())} of {folder} has no vector")
    return [query[query.any(axis=1)] for query in vectors]


def _load(path: Path, mapped: bool = False) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise RefusedError(f"{path} is not a readable .npy file: {error}") from error


def digest(folders: Sequence[Path], names: Sequence[str] = ("vectors.npy",)) -> str:
    """sha256 over the named files of each folder, one after the other."""
    found = hashlib.sha256()
    for path in (folder / name for folder in folders for name in names):
        with path.open("rb") as stream:
            while block := stream.read(1 << 24):
                found.update(block)
    return found.hexdigest()


def in_fresh_process(threads: int, function: Callable[..., Any], *args: Any) -> Any:
    """The result of a call in a new process that is held to ``threads`` CPUs before it imports anything."""
    limits = {"CUDA_VISIBLE_DEVICES": "", **dict.fromkeys(THREAD_VARIABLES, str(threads))}
    with _environment(limits), _affinity(threads):
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            return pool.submit(function, *args).result()


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables for the processes started inside, which also find the programs of this Python's environment."""
    before = dict(os.environ)
    os.environ.update(values, PATH=os.pathsep.join((str(Path(sys.executable).parent), before.get("PATH", ""))))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def _affinity(threads: int) -> Iterator[None]:
    """The first ``threads`` CPUs of this process for the processes started inside."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:threads])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _timed_setup(peer: Peer, threads: int) -> float:
    return seconds(lambda: peer.setup(threads))


def _build(
    peer: Peer, shards: Sequence[Path], index: Path, nbits: int, threads: int, seed: int
) -> tuple[float, dict[str, Any]]:
    return peer.build(read_corpus(shards), index, nbits, threads, seed)


def _reconstruction_error(peer: Peer, shards: Sequence[Path], index: Path, threads: int, seed: int) -> float:
    corpus = read_corpus(shards)
    positions = sample(len(corpus.vectors), RECONSTRUCTED, seed)
    return squared_distance(corpus.vectors[positions], peer.decode(index, corpus, positions, threads))


def sample(count: int, size: int, seed: int) -> np.ndarray:
    """Sorted distinct positions below ``count``, at most ``size`` of them."""
    return np.sort(np.random.default_rng(seed).choice(count, min(size, count), replace=False))


def squared_distance(original: np.ndarray, decoded: np.ndarray) -> float:
    """Mean squared distance of ``[vectors, dim]`` unit vectors to decoded ones, which are normalised first."""
    decoded = decoded.astype(np.float64)
    decoded /= np.linalg.norm(decoded, axis=1, keepdims=True)
    return float(((original.astype(np.float64) - decoded) ** 2).sum(axis=1).mean())


def searched(
    peer: Peer, threads: int, index: Path, queries: list[np.ndarray]
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Return the searches of the record, and rankings by setting.

    A round times every setting once before any is timed again, so that whoever else is busy on the machine for a minute
    or two slows one round down, and not all that is known of a setting.
    """
    single: dict[tuple[int, str], list[np.ndarray]] = {}
    batch: dict[tuple[int, str], list[float]] = {}
    rankings: dict[str, np.ndarray] = {}
    given = {(count, setting_name(setting)): setting for count in sorted({1, threads}) for setting in peer.settings}
    for _ in range(ROUNDS):
        for key, setting in given.items():
            count, name = key
            times = in_fresh_process(count, _search, peer, index, setting, count, count == threads, queries)
            rankings.setdefault(name, times.ranking)
            single.setdefault(key, []).append(times.single)
            if times.batch is not None:
                batch.setdefault(key, []).append(times.batch)
    rows = []
    for key, setting in given.items():
        count, name = key
        row = {"setting": name, "values": dict(setting), "threads": count, "rounds": ROUNDS}
        rows.append({**row, "mode": "single", "ms": summary(np.min(single[key], axis=0))})
        if key in batch:
            rate = len(queries) / float(np.median(batch[key]))
            rows.append({**row, "mode": "batch", "call": peer.batch, "queries_per_second": rate})
    return rows, rankings


@dataclass(frozen=True)
class Times:
    """One round of a setting: ranking ``[queries, depth]``; single: seconds ``[queries]``; batch: seconds of the call."""

    ranking: np.ndarray
    single: np.ndarray
    batch: float | None


def _search(peer: Peer, index: Path, setting: Setting, threads: int, batch: bool, queries: list[np.ndarray]) -> Times:
    """Everything is done once before it is timed; the first time gives the ranking."""
    engine = peer.open(index, setting, threads)
    ranking = padded([engine.single(query) for query in queries])
    single = np.array([seconds(lambda query=query: engine.single(query)) for query in queries])
    if not (batch and peer.batched(setting)):
        return Times(ranking, single, None)
    engine.batch(queries)
    return Times(ranking, single, seconds(lambda: engine.batch(queries)))


def _exact(peer: Peer, index: Path, threads: int, queries: list[np.ndarray]) -> np.ndarray:
    return padded(peer.open(index, peer.exact or {}, threads).batch(queries))


def setting_name(setting: Setting) -> str:
    return ", ".join(f"{name}={value}" for name, value in setting.items())


def padded(rankings: Sequence[Sequence[int]], depth: int = DEPTH) -> np.ndarray:
    """Rankings of any length as ``[queries, depth]`` int64, cut at the depth and filled with -1."""
    found = np.full((len(rankings), depth), -1, dtype=np.int64)
    for row, ranking in zip(found, rankings, strict=True):
        best = np.asarray(ranking[:depth], dtype=np.int64)
        row[: len(best)] = best
    return found


def seconds(call: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    start = clock()
    call()
    return clock() - start


def summary(seconds: np.ndarray) -> dict[str, float]:
    """Percentiles and mean in milliseconds."""
    percentiles = {f"p{percent}": float(np.percentile(seconds, percent)) * 1e3 for percent in (50, 95, 99)}
    return {**percentiles, "mean": float(seconds.mean()) * 1e3}


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def host() -> dict[str, Any]:
    """The machine and the Python that a measurement was taken on, and how busy the machine was before it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    values = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    flags = values.get("flags", "").split()
    return {
        "cpu": values.get("model name", platform.processor()),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "flags": [flag for flag in FLAGS if flag in flags],
        "system": platform.system(),
        "python": platform.python_version(),
    }


def write(output: Path, found: Mapping[str, Any], rankings: Mapping[str, np.ndarray]) -> None:
    """The rankings, and then the record that makes them valid; neither is ever seen half-written."""
    output.parent.mkdir(parents=True, exist_ok=True)
    output.unlink(missing_ok=True)
    with _replacing(output.with_suffix(".npz")) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, **rankings)
    with _replacing(output) as temporary:
        temporary.write_text(json.dumps(found, indent=2, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.partial")
    yield temporary
    temporary.replace(path)
