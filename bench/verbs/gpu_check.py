"""Compare every kernel with the CPU on a GPU, and measure rates beside their bounds, on random vectors."""

import argparse
import importlib.metadata
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from bench.errors import BenchError
from bench.evaluation import gpu_check as check
from bench.files.storage import write_json, write_text
from bench.training import rates

PACKAGES = ("torch", "triton", "numpy", "numba")


def gpu_check(*, output: Path | None = None, device: Literal["cpu", "cuda"] = "cuda") -> int:
    """Compare every kernel with the CPU on a GPU, and measure rates beside their bounds, on random vectors.

    It needs torch, triton, numpy, numba and transformers alone, so that a plain copy of the tree can run it on a bare
    machine: `python -m bench gpu-check`. The exit code is 1 if any ranking differs from that of the CPU by more than
    rounding.

    :param output: Folder for gpu-check.md and gpu-check.json; printed alone if absent.
    :param device: cpu: in Triton's interpreter (TRITON_INTERPRET=1), without rates.
    """
    start = time.perf_counter()
    name, threads = check.refuse_without(device), len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        compared = list(check.compare(device, Path(folder), threads))
        rows = []
        if device == "cuda":
            rows = [*check.measure(device, Path(folder), threads), *rates.measure(device, threads)]
    packages = {package: importlib.metadata.version(package) for package in PACKAGES}
    record = {
        "device": name,
        "host": {"threads": threads, "python": platform.python_version(), "packages": packages},
        "rankings": compared,
        "rows": [{**vars(row), "ratio": row.ratio} for row in rows],
        "seconds": round(time.perf_counter() - start, 1),
    }
    page = _page(record)
    print(page)
    if output is not None:
        write_json(output / "gpu-check.json", record)
        write_text(output / "gpu-check.md", f"{page}\n")
    return int(any(row["different"] for row in compared))


def alone(words: Sequence[str]) -> int:
    """Run the check where the packages of the command line are missing."""
    parser = argparse.ArgumentParser(prog="bench gpu-check", description=gpu_check.__doc__)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    try:
        return gpu_check(**vars(parser.parse_args(words)))
    except BenchError as error:
        print(f"bench gpu-check: {type(error).__name__}: {error}", file=sys.stderr)
        return 1


def _page(record: dict[str, Any]) -> str:
    host = record["host"]
    packages = ", ".join(f"{name} {version}" for name, version in host["packages"].items())
    lines = [
        f"# {record['device']}",
        "",
        f"{host['threads']} CPU threads, Python {host['python']}, {packages}; {record['seconds']:.0f} s in all.",
        "",
        "Rankings of the device beside those of the CPU:",
        "",
        *_table(record["rankings"], ("codec", "engine", "queries", "equal", "ties", "different")),
    ]
    if record["rows"]:
        shown = [{**row, **{name: _number(row[name]) for name in ("value", "other", "ratio")}} for row in record["rows"]]
        lines += ["", "Rates beside bounds, or beside the CPU, in the same run:", ""]
        lines += _table(shown, ("what", "value", "unit", "beside", "other", "ratio"))
    return "\n".join(lines)


def _table(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> list[str]:
    body = [f"| {' | '.join(str(row[name]) for name in names)} |" for row in rows]
    return [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}", *body]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
