"""The machine of a measurement: its available processors, and what a reader needs to know about it."""

import os
from pathlib import Path
from typing import Any

from bench.errors import SettingsError
from bench.files.provenance import cpu_flags, cpu_kind, host_record

FEATURES = ("avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16", "avx_vnni")
TASKS = Path("/proc/self/task")
QUOTA = Path("/sys/fs/cgroup/cpu.max")


def available_cpus() -> list[int]:
    """Return the numbers of the processors that this process may use, limited by the quota of its control group."""
    affinity = getattr(os, "sched_getaffinity", None)
    cpus = sorted(affinity(0)) if affinity else list(range(os.cpu_count() or 1))
    return cpus[: _quota(QUOTA)]


def _quota(path: Path) -> int | None:
    """Return the whole processors, at least one, that ``cpu.max`` of a control group grants; None without a limit."""
    words = path.read_text().split() if path.exists() else []
    return max(1, int(words[0]) // int(words[1])) if words and words[0] != "max" else None


def pin(threads: int, granted: int | None = None) -> list[int]:
    """Bind every thread of this process to ``threads`` processors, where the system can; returns their numbers.

    granted: processors that the caller may use, all available ones if None. Raises SettingsError where there are fewer
    than asked for: a timing on fewer would be that of another setting.
    """
    cpus = available_cpus()[:granted]
    if not 1 <= threads <= len(cpus):
        raise SettingsError(
            f"threads {threads} of the command line: this process is given {len(cpus)} CPUs, ask for 1 to {len(cpus)}"
        )
    chosen = cpus[:threads]
    if hasattr(os, "sched_setaffinity"):
        for task in sorted(TASKS.iterdir()) if TASKS.exists() else [Path("0")]:
            os.sched_setaffinity(int(task.name), chosen)
    return chosen


def load_average() -> list[float] | None:
    """Return the load averages over 1, 5 and 15 minutes, including this process; None if the system has none."""
    return [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None


def record() -> dict[str, Any]:
    """Return the description of the machine for records of timings; memory is in bytes."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else None
    flags = cpu_flags()
    return {**host_record(), "kind": cpu_kind(), "features": [name for name in FEATURES if name in flags], "memory": pages}
