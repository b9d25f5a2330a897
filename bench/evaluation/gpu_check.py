"""What a GPU does here: every kernel against the CPU, then rates beside bounds that are measured in the same run."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.codec.kmeans import number_of_centroids
from bench.codec.names import parse
from bench.errors import BenchError
from bench.evaluation.gpu_data import passages, queries
from bench.files.storage import Manifest
from bench.index.build import build_uncompressed
from bench.index.index import Index, open_index
from bench.index.pipeline import build
from bench.index.shards import Shard
from bench.machine.rates import Row, seconds
from bench.search.colbertv2 import ColBERTv2
from bench.search.exact import Exact, ExactKernels
from bench.search.kernels.cpu import CPU
from bench.search.kernels.cuda import CUDA
from bench.search.plaid import Plaid
from bench.search.ranking import Ranking

DIM, WIDTH, QUERIES, DEPTH = 128, 32, 256, 100
SMALL = 1500  # passages of the comparisons
CODECS = ("fp16", *(f"residual-{bits}" for bits in (1, 2, 4, 8)), "lloyd-2", "rotated-2", "pq-16", "opq-16", "opq-8x4")
SIZES = (22_557, 97_500)  # passages of the measurements: about 1.9 and 8.0 million vectors
ALONE = 64  # queries that are timed one by one
CLOSE = 1e-4  # scores that differ by less are ties within rounding
ENGINES: dict[str, Callable[[Any], Any]] = {
    "exact": ExactKernels,
    "plaid 2, 0.45, 1024": lambda kernels: Plaid(kernels, ncells=2, centroid_score_threshold=0.45, ndocs=1024),
    "plaid 4, 0.4, 4096": lambda kernels: Plaid(kernels, ncells=4, centroid_score_threshold=0.4, ndocs=4096),
    "colbertv2 2, 512": lambda kernels: ColBERTv2(kernels, nprobe=2, ncandidates=512),
}


@dataclass(frozen=True)
class Limits:
    """Of a device: operations a second of a large float16 product, and bytes a second of a copy, read and written."""

    operations: float
    bytes: float


def compare(device: str, folder: Path, threads: int) -> Iterator[dict[str, Any]]:
    """Yield for each codec and engine how many rankings equal the CPU's, differ by ties within rounding, or differ."""
    vectors, doclens = passages(SMALL, DIM, 1, device)
    asked = queries(vectors, doclens, ALONE, WIDTH, 2)
    asked[1::2, WIDTH // 2 :] = 0  # padding
    for name in CODECS:
        index = made(folder / name, vectors, doclens, name, threads, "cpu")
        ours = CUDA(index, device=device)
        for engine, opened in ENGINES.items():
            if index.compressed is not None:
                theirs = opened(CPU(index, index.compressed, threads=threads))
            elif engine == "exact":
                theirs = Exact(index)
            else:
                continue
            found, expected = opened(ours).search(asked, DEPTH), theirs.search(asked, DEPTH)
            kinds = [_difference(*pair) for pair in zip(found, expected, strict=True)]
            counts = {kind: kinds.count(kind) for kind in ("equal", "ties", "different")}
            yield {"codec": name, "engine": engine, "queries": len(kinds), **counts}


def _difference(found: Ranking, expected: Ranking) -> str:
    """Return whether rankings are equal, differ by ties within rounding, or differ."""
    if len(found) != len(expected) or not np.allclose(found.scores, expected.scores, rtol=1e-5, atol=CLOSE):
        return "different"
    return "equal" if np.array_equal(found.passages, expected.passages) else "ties"


def measure(device: str, folder: Path, threads: int, sizes: Sequence[int] = SIZES) -> Iterator[Row]:
    """Yield the rates of build and search, each beside its bound."""
    limits = limits_of(device)
    yield Row("product of 8192 x 8192 x 8192, float16", limits.operations / 1e12, "TFLOP/s")
    yield Row("copy on the device", limits.bytes / 1e12, "TB/s")
    for count in sizes:
        yield from _measured(count, device, folder, threads, limits)


def _measured(count: int, device: str, folder: Path, threads: int, limits: Limits) -> Iterator[Row]:
    vectors, doclens = passages(count, DIM, 3, device)
    asked = queries(vectors, doclens, QUERIES, WIDTH, 4)
    size = f"{len(vectors) / 1e6:.1f} million vectors"
    for _ in range(2):  # the first one compiles
        start = time.perf_counter()
        index = made(folder / f"{count}", vectors, doclens, "residual-2", threads, device)
        taken = time.perf_counter() - start
    products = 2.0 * DIM * number_of_centroids(len(vectors)) * len(vectors)
    yield Row(f"build at 2 bits, {size}", taken, "s", "products of assignment alone", products / limits.operations)
    kernels, host = CUDA(index, device=device), CPU(index, index.compressed, threads=threads)  # type: ignore[arg-type]
    stored = kernels.store.bytes
    for name, opened in ENGINES.items():
        what = f"{name} over 2 bits, {size}"
        alone, together = _timed(opened(kernels), asked, device)
        if name == "exact":
            most = limits.operations / (2.0 * DIM * WIDTH * len(vectors))
            yield Row(f"{what}, {QUERIES} queries in a call", together, "queries/s", "products alone", most)
            floor = 2e3 * stored / limits.bytes
            yield Row(f"{what}, one query", alone, "ms", "reading codes and residuals", floor)
        else:
            slow, rate = _timed(opened(host), asked[:ALONE], "cpu")
            yield Row(f"{what}, {QUERIES} queries in a call", together, "queries/s", f"{threads} CPU threads", rate)
            yield Row(f"{what}, one query", alone, "ms", f"{threads} CPU threads", slow)


def made(folder: Path, vectors: np.ndarray, doclens: np.ndarray, codec: str, threads: int, device: str) -> Index:
    """Build an index of vectors in memory and open it."""
    shards = [Shard(vectors, doclens, Manifest("vectors", 1, {}, {}, {}, {}, {}))]
    ids = [f"{number:09d}" for number in range(len(doclens))]
    name = parse(codec, "the check")
    folder.mkdir(parents=True, exist_ok=True)
    if name is None:
        build_uncompressed(folder / "index", shards, ids, settings={"codec": codec})
    else:
        how: dict[str, Any] = {"seed": 0, "iterations": 5, "threads": threads, "work": folder, "device": device}
        build(folder / "index", shards, ids, codec=name, **how)
    return open_index(folder / "index")


def _timed(engine: Any, asked: np.ndarray, device: str) -> tuple[float, float]:
    """Return the median milliseconds of a query alone, and queries a second of all in one call."""
    engine.search(asked[:1], DEPTH)
    singles = (asked[number : number + 1] for number in range(min(ALONE, len(asked))))
    alone = [seconds(device, engine.search, single, DEPTH) for single in singles]
    together = [seconds(device, engine.search, asked, DEPTH) for _ in range(4)]
    return 1e3 * statistics.median(alone), len(asked) / statistics.median(together[1:])


def limits_of(device: str) -> Limits:
    """Measure the limits of a device, the medians of ten."""
    size, length = (8192, 1 << 30) if device == "cuda" else (256, 1 << 20)
    left, right = (torch.randn(size, size, device=device).half() for _ in range(2))
    source = torch.randint(0, 255, (length,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    product, copy = (
        statistics.median([seconds(device, work) for _ in range(11)][1:])
        for work in (lambda: left @ right, lambda: target.copy_(source))
    )
    return Limits(2.0 * size**3 / product, 2.0 * length / copy)


def refuse_without(device: str) -> str:
    """Return the name of the device. Raise BenchError if it cannot run the kernels."""
    from bench.codec.device import open_device

    open_device(device)
    if device != "cuda":
        return "Triton's interpreter"
    major, minor = torch.cuda.get_device_capability()
    if major < 8:
        raise BenchError(f"the device has compute capability {major}.{minor}, and kernels need 8.0 or more: use the cpu")
    return torch.cuda.get_device_name()
