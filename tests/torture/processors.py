"""Which facts depend on the kind of processor: ``python -m tests.torture.processors [CONFIG]`` prints a table.

It ends with 1 if config/ci.yaml on the older one does not pass the gate. The run is made twice on this machine: as it is,
and with libraries that are told to use the instructions of an x86-64 processor of 2008 alone (SSE4.2: no AVX, no fused
multiply-add), as torch, oneDNN, MKL, OpenBLAS, faiss and numba permit.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.torture.pipeline import ROOT
from tests.torture.runs import start
from tests.workflow.conftest import copy_of_tree

OLD = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "OPENBLAS_CORETYPE": "Nehalem",
    "FAISS_OPT_LEVEL": "generic",
    "NUMBA_CPU_NAME": "nehalem",
    "NUMBA_CPU_FEATURES": "",
}


def kind(name: str, content: bytes) -> str:
    """What a fact file is: the kind of a folder with a manifest, the name of a record, or a table of the results."""
    path = Path(name)
    if path.name == "manifest.json":
        return str(json.loads(content)["kind"])
    if path.parts[0] == "results":
        return "results"
    return path.parent.name if path.parent.name in ("truncation", "reconstruction", "worst") else path.name


def compared(before: dict[str, bytes], after: dict[str, bytes]) -> dict[str, Counter]:
    """Count equal and other files by kind."""
    found: dict[str, Counter] = {}
    for name, content in sorted({**after, **before}.items()):
        same = before.get(name) == after.get(name)
        found.setdefault(kind(name, content), Counter())["equal" if same else "other"] += 1
    return found


def main(config: str = "config/ci.yaml") -> int:
    with tempfile.TemporaryDirectory() as folder:
        facts = []
        for name, environment in (("new", {}), ("old", OLD)):
            checkout = copy_of_tree(ROOT, Path(folder) / name)
            if start(checkout, config, "--nocolor", env={**os.environ, **environment}).wait() != 0:
                raise RuntimeError(f"the run of {config} failed with {environment}")
            facts.append(checkout.facts())
        gate = [sys.executable, "-m", "bench", "check", "results/ci", "--baseline", str(ROOT / "results/baselines/ci.json")]
        if config == "config/ci.yaml" and subprocess.run(gate, cwd=checkout.root, check=False).returncode != 0:
            return 1
    print("| kind | equal | other |\n|---|---|---|")
    for name, tally in compared(*facts).items():
        print(f"| {name} | {tally['equal']} | {tally['other']} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
