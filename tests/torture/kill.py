"""Processes that are killed by SIGKILL at seeded random moments; a rerun must leave the bytes of an undisturbed run."""

import os
import shutil
import signal
import time
from collections import Counter
from pathlib import Path

import numpy as np

from tests.torture.pipeline import content, sources, stages, start

FIRST = 0.3  # share of the time of a command before which little has happened but imports
TRIES = 3  # for each kill, that may find a process that has ended


def undisturbed(folder: Path) -> tuple[dict[str, bytes], dict[str, float]]:
    """Run every stage once. Return all bytes, and the seconds of each stage."""
    sources(folder)
    seconds = {}
    for name, words in stages(folder).items():
        begun = time.monotonic()
        if start(words).wait() != 0:
            raise RuntimeError(f"{name} failed")
        seconds[name] = time.monotonic() - begun
    return content(folder), seconds


def killed(folder: Path, count: int, seed: int) -> dict[str, Counter]:
    """Kill every stage ``count`` times, then run it whole. Return counts by stage: killed, ended before, other bytes."""
    expected, seconds = undisturbed(folder)
    shutil.rmtree(folder)  # the same path again, since words of it are in no file but messages
    sources(folder)
    rng = np.random.default_rng(seed)
    found = {}
    for name, words in stages(folder).items():
        tally: Counter[str] = Counter()
        while tally["killed"] < count and tally["ended before"] < TRIES * count:
            process = start(words)
            time.sleep(seconds[name] * float(rng.uniform(FIRST, 1.0)))
            os.kill(process.pid, signal.SIGKILL)
            tally["killed" if process.wait() == -signal.SIGKILL else "ended before"] += 1
        if start(words).wait() != 0:
            tally["failed after"] += 1
        found[name] = tally
    count_other_bytes(found, expected, content(folder))
    return found


def count_other_bytes(found: dict[str, Counter], expected: dict[str, bytes], after: dict[str, bytes]) -> None:
    """Add to the counts of each stage its files, and how many have other bytes than expected."""
    for name, tally in found.items():
        own = {file for file in {*expected, *after} if file.startswith(name.removesuffix("run.trec.gz"))}
        tally["files"] += len(own)
        tally["other bytes"] += sum(expected.get(file) != after.get(file) for file in own)
