"""The long torture: ``python -m tests.torture [MUTATIONS [KILLS [RUNS [INPUTS [LOSSES [SEED]]]]]]`` prints tables.

It ends with 1 if anything was lost. MUTATIONS of each kind of folder, KILLS of each stage, RUNS of config/ci.yaml, which
trains, that are killed, INPUTS of each kind, LOSSES of power during each stage, and as many during a run of
config/ci.yaml. With its 11 commands, 16 kills of each and 26 of runs are about 200.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.cluster.same import different
from tests.torture.damage import tortured
from tests.torture.inputs import read_any
from tests.torture.kill import killed
from tests.torture.pipeline import ROOT, built
from tests.torture.power import KINDS, Disk, why_not, without_power
from tests.torture.runs import disturbed_runs, kill
from tests.workflow.conftest import Checkout, copy_of_tree

CI = "config/ci.yaml"
ENDED = ("files", "other bytes", "failed after")
WRONG = ("silent", "traceback", "error of Python", "written outside", "lost", "other bytes", "failed after")


def main(mutations: int = 500, kills: int = 16, runs: int = 26, inputs: int = 1300, losses: int = 4, seed: int = 0) -> int:
    wrong: list[str] = []

    def table(first: str, rows: Mapping[str, Counter], words: tuple[str, ...]) -> None:
        print(f"| {first} | {' | '.join(words)} |\n|{'---|' * (1 + len(words))}")
        for name, tally in rows.items():
            print(f"| {name} | {' | '.join(str(tally[word]) for word in words)} |")
            wrong.extend(f"{name}: {what}" for what, count in tally.items() if count and (":" in what or what in WRONG))
        print(flush=True)

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        made = built(work / "one", 1)
        if mutations:
            table(
                "what is damaged", tortured(made, built(work / "other", 2), work, mutations, seed), ("refused", *WRONG[:2])
            )
        if inputs:
            table("what is read", read_any(made, work, inputs, seed), ("read", "refused", *WRONG[2:4]))
        if kills:
            table("what is killed", killed(work / "killed", kills, seed), ("killed", "ended before", *ENDED))
        disks = [kind for kind in KINDS if losses and not _absent(kind, why_not(kind, work / "why"))]
        for kind in disks:
            with Disk(kind, work) as disk:
                table(f"power fails, {kind}", without_power(disk, losses, seed), ("failed", "ended before", "lost", *ENDED))
        if runs or disks:
            rows = whole_runs(work, runs, losses, disks, seed)
            table("runs that are killed, or lose power", rows, ("killed", "alone", "failed", "ended before", *ENDED))
    print("\n".join(wrong) if wrong else "nothing lost, nothing silently wrong")
    return int(bool(wrong))


def _absent(kind: str, reason: str | None) -> bool:
    """Whether there is a reason why power cannot be made to fail, which is printed."""
    if reason:
        print(f"power does not fail on {kind}: {reason}\n")
    return bool(reason)


def whole_runs(work: Path, kills: int, losses: int, disks: list[str], seed: int) -> dict[str, Counter]:
    """Run config/ci.yaml undisturbed, then in another clone under kills, and in one on each kind of disk without power."""
    undisturbed = copy_of_tree(ROOT, work / "undisturbed")
    begun = time.monotonic()
    done = undisturbed.snakemake(config=CI)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    seconds = time.monotonic() - begun

    def disturbed(checkout: Checkout, count: int, disturb: Callable) -> Counter:
        tally = disturbed_runs(checkout, CI, [], count, seconds, seed, lambda said: print(said, file=sys.stderr), disturb)
        names, tally["files"] = different(undisturbed.root, checkout.root)
        tally["other bytes"] = len(names)
        return tally

    rows = {}
    if kills:
        rows["killed"] = disturbed(copy_of_tree(ROOT, work / "disturbed"), kills, kill)
    for kind in disks:
        with Disk(kind, work / "runs") as disk:
            checkout = copy_of_tree(ROOT, disk.folder / "clone")
            disk.settle()
            rows[kind] = disturbed(checkout, losses, lambda process, _, disk=disk: disk.lose_power(process))
    return rows


if __name__ == "__main__":
    if not all(word.isdigit() for word in sys.argv[1:]):
        sys.exit(str(__doc__))
    sys.exit(main(*map(int, sys.argv[1:])))
