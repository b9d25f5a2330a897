"""Processes that are killed by SIGKILL at seeded random moments; a rerun must leave the bytes of an undisturbed run."""

import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.torture.pipeline import content, fork, sources, stages

TRIES = 3  # for each kill, that may find a process that has ended


def undisturbed(folder: Path, run: Callable[[list[str]], int | None]) -> tuple[dict[str, bytes], dict[str, float]]:
    """Run every stage once by ``run``, which returns an exit status. Return all bytes, and the seconds of each stage."""
    sources(folder)
    seconds = {}
    for name, words in stages(folder).items():
        begun = time.monotonic()
        if run(words) != 0:
            raise RuntimeError(f"{name} failed")
        seconds[name] = time.monotonic() - begun
    return content(folder), seconds


def _forked(words: list[str]) -> int | None:
    process = fork(words)
    process.join()
    return process.exitcode


def killed(folder: Path, count: int, seed: int) -> dict[str, Counter]:
    """Kill every stage ``count`` times, then run it whole. Return counts by stage: killed, ended before, other bytes."""
    expected, seconds = undisturbed(folder, _forked)
    shutil.rmtree(folder)  # the same path again, since words of it are in no file but messages
    sources(folder)
    rng = np.random.default_rng(seed)
    found = {}
    for name, words in stages(folder).items():
        tally: Counter[str] = Counter()
        while tally["killed"] < count and tally["ended before"] < TRIES * count:
            begun, process = time.monotonic(), fork(words)
            process.join(seconds[name] * float(rng.uniform()))
            process.kill()
            process.join()
            if process.exitcode == -signal.SIGKILL:
                tally["killed"] += 1
            else:  # the undisturbed run may have compiled loops
                tally["ended before"] += 1
                seconds[name] = min(seconds[name], time.monotonic() - begun)
        if _forked(words) != 0:
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
