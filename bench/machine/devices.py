"""The devices of one machine, shared by independent processes: each process takes a device that is free.

A process holds a device by a lock on a file. The lock ends with the process, also if the process is killed.
"""

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, MutableMapping
from pathlib import Path

from bench.errors import SettingsError

VISIBLE = "CUDA_VISIBLE_DEVICES"
PAUSE = 0.2  # seconds between two looks at devices that all are taken

_held: dict[Path, str] = {}  # devices of this process, by the folder of their locks


def lock_folder() -> Path:
    """Return the folder of locks, one per user and machine."""
    return Path(tempfile.gettempdir()) / f"colbertv2-bench-devices-{os.getuid()}"


def take(
    count: Callable[[], int], folder: Path | None = None, environment: MutableMapping[str, str] = os.environ
) -> str | None:
    """Wait for a device, hold it until this process ends, make it the only one that CUDA shows, and return its name.

    The devices are those of ``CUDA_VISIBLE_DEVICES``, or ``count`` devices. No device is taken if SLURM or a launcher of
    several processes has assigned the devices already. Raise SettingsError if there is no device.
    """
    where = folder or lock_folder()
    if environment.get("WORLD_SIZE", "1") != "1" or "SLURM_JOB_ID" in environment:
        return None
    if where in _held:
        return _held[where]
    names = environment[VISIBLE].split(",") if VISIBLE in environment else [str(number) for number in range(count())]
    names = [name.strip() for name in names if name.strip() not in ("", "-1")]
    if not names:
        raise SettingsError(
            f"device cuda is asked for, but there is none here ({VISIBLE}={environment.get(VISIBLE)!r}); use cpu"
        )
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    while (name := next((name for name in names if _locked(where / f"{name.replace('/', '-')}.lock")), None)) is None:
        time.sleep(PAUSE)
    _held[where] = environment[VISIBLE] = name
    return name


def _locked(path: Path) -> bool:
    """Lock a file until this process ends; return False if another process has locked it."""
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    return True
