"""Power that fails at seeded random moments, on a file system of its own.

A file system in an image is told to shut down without writing what it still holds in memory, as on a loss of power: ext4 and
xfs know that call (``xfs_ioc_goingdown``, with the flag for no flush of the log). Processes are then killed, and the file
system is mounted again, which replays its log. A loop device, ``mkfs`` and root are needed.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import struct
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Self

import numpy as np

from tests.torture.kill import count_other_bytes, undisturbed
from tests.torture.pipeline import content, sources, stages, start

SHUT_DOWN = 0x8004587D  # _IOR('X', 125, __u32)
WITHOUT_A_FLUSH = struct.pack("I", 2)
KINDS = ("ext4", "xfs")
MEGABYTES = 2_000  # of the image, which is sparse
FIRST = 0.3  # share of the time of a command before which little has happened but imports
TRIES = 50  # to unmount, 0.1 s apart: a killed process may still be leaving


class Disk:
    """A file system of a kind in ``image``, mounted at ``folder``."""

    def __init__(self, kind: str, work: Path):
        self.kind, self.image, self.folder = kind, work / f"{kind}.image", work / kind
        self.folder.mkdir(parents=True)
        with self.image.open("wb") as stream:
            stream.truncate(MEGABYTES << 20)
        _call(f"mkfs.{kind}", "-q", str(self.image))
        self._mount()

    def _mount(self) -> None:
        _call("mount", "-t", self.kind, "-o", "loop", str(self.image), str(self.folder))

    def lose_power(self, process: subprocess.Popen | None = None) -> str:
        """Drop all that is not on the disk, kill the process with those of its session, mount the disk again; say so."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUT_DOWN, WITHOUT_A_FLUSH)
        finally:
            os.close(descriptor)
        if process is not None:
            with contextlib.suppress(ProcessLookupError):  # it may just have ended
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.close()
        self._mount()
        return "failed"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self.image.unlink()

    def settle(self) -> None:
        """Bring all that was written to the disk."""
        os.sync()

    def close(self) -> None:
        for _ in range(TRIES):
            done = subprocess.run(["umount", str(self.folder)], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError(f"umount {self.folder}: {done.stderr.strip()}")


def _call(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")


def why_not(kind: str, work: Path) -> str | None:
    """Why power cannot be made to fail here, or None."""
    if shutil.which(f"mkfs.{kind}") is None:
        return f"mkfs.{kind} is not installed"
    try:
        with Disk(kind, work / "tried") as disk:
            disk.lose_power()
    except (RuntimeError, OSError) as error:
        return f"no disk of its own can be made here: {error}"
    return None


def without_power(disk: Disk, count: int, seed: int) -> dict[str, Counter]:
    """Let power fail ``count`` times during each stage, and once as soon as it has ended.

    Return counts by stage: failed while it ran, ended before, what a stage that had ended lost, and files with other bytes
    than those of an undisturbed run.
    """
    folder = disk.folder / "made"
    expected, seconds = undisturbed(folder, lambda words: start(words).wait())
    shutil.rmtree(folder)
    sources(folder)
    disk.settle()
    rng = np.random.default_rng(seed)
    found: dict[str, Counter] = {}
    kept = content(folder)
    for name, words in stages(folder).items():
        tally = found[name] = Counter()
        for _ in range(count):
            process = start(words)
            time.sleep(seconds[name] * float(rng.uniform(FIRST, 1.0)))
            tally["failed" if process.poll() is None else "ended before"] += 1
            disk.lose_power(process)
            tally["lost"] += _lost(kept, content(folder))
        if start(words).wait() != 0:
            tally["failed after"] += 1
        kept = content(folder)
        disk.lose_power()
        tally["lost"] += _lost(kept, content(folder))
    count_other_bytes(found, expected, content(folder))
    return found


def _lost(before: dict[str, bytes], after: dict[str, bytes]) -> int:
    return sum(after.get(file) != content for file, content in before.items())
