"""Power loss: what was on the disk when a manifest got its name, by the system calls of the processes that wrote it."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.torture.pipeline import ROOT

BUILD = "import sys; from pathlib import Path; from tests.torture.pipeline import built; built(Path(sys.argv[1]))"
CALLS = "trace=openat,rename,renameat,renameat2,fsync,fdatasync"
OPENED = re.compile(r'openat\([^"]*"([^"]+)", [^,)]*(?:O_WRONLY|O_RDWR)')
RENAMED = re.compile(r'rename\w*\([^"]*"([^"]+)", [^"]*"([^"]+)"')
FLUSHED = re.compile(r"f(?:data)?sync\(\d+<([^>]+)>\)")
PARTIAL = re.compile(r"\.(.+)\.\d+\.partial$")


def traced(words: Sequence[str], log: Path) -> list[tuple[str, Path]]:
    """Run a command. Return its opened, renamed and flushed files in order; a partial file has the name of the whole one."""
    call = ["strace", "-f", "-y", "-qq", "-e", CALLS, "-o", str(log), *words]
    subprocess.run(call, check=True, cwd=ROOT, capture_output=True)
    events = []
    for line in log.read_text(errors="replace").splitlines():
        if " = -1 " in line:
            continue
        if found := RENAMED.search(line):
            events.append(("renamed", Path(found[2])))
        elif found := FLUSHED.search(line):
            events.append(("flushed", _whole(Path(found[1]))))
        elif found := OPENED.search(line):
            events.append(("written", _whole(Path(found[1]))))
    return events


def _whole(path: Path) -> Path:
    found = PARTIAL.match(path.name)
    return path.with_name(found[1]) if found else path


def lost(events: Sequence[tuple[str, Path]], folder: Path, names: Sequence[str]) -> list[str]:
    """Return what a power loss could take from a folder after its manifest got its name, or before anyone can see that."""
    named = [number for number, event in enumerate(events) if event == ("renamed", folder / "manifest.json")]
    if not named:
        return ["its manifest was never named"]
    wrong = []
    for name in names:
        path = folder / name
        changes = [number for number, (what, where) in enumerate(events) if where == path and what != "flushed"]
        flushes = [number for number, event in enumerate(events[: named[-1]]) if event == ("flushed", path)]
        if not flushes or flushes[-1] < max(changes, default=-1):
            wrong.append(f"{name} is written after its last flush, or never flushed")
    entries = [
        number for number, (what, where) in enumerate(events[: named[-1]]) if where.parent == folder and what == "renamed"
    ]
    before = [number for number, event in enumerate(events[: named[-1]]) if event == ("flushed", folder)]
    if not before or before[-1] < max(entries, default=-1):
        wrong.append("names of files are not flushed before the manifest")
    if ("flushed", folder / "manifest.json") not in events[: named[-1]]:
        wrong.append("the manifest is named before it is flushed")
    if ("flushed", folder) not in events[named[-1] :]:
        wrong.append("the name of the manifest is not flushed")
    if ("flushed", folder.parent) not in events[: named[-1]]:
        wrong.append("the name of the folder is not flushed")
    return wrong


def build_traced(folder: Path, log: Path) -> list[tuple[str, Path]]:
    """Build a small benchmark, a model, tuples and a baseline under ``strace``."""
    return traced([sys.executable, "-c", BUILD, str(folder)], log)
