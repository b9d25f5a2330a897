"""The long torture: ``python -m tests.torture [MUTATIONS [KILLS [RUNS [INPUTS [SEED]]]]]`` prints tables.

It ends with 1 if anything was lost. MUTATIONS of each kind of folder, KILLS of each stage, RUNS of config/ci.yaml, which
trains, that are killed, INPUTS of each kind. With its 11 commands, 16 kills of each and 26 of runs are about 200.
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tests.torture.damage import tortured
from tests.torture.inputs import read_any
from tests.torture.kill import killed
from tests.torture.pipeline import ROOT, built
from tests.torture.runs import killed_runs
from tests.workflow.conftest import copy_of_tree

CI = "config/ci.yaml"


def main(mutations: int = 100, kills: int = 16, runs: int = 26, inputs: int = 1300, seed: int = 0) -> int:
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        made = built(work / "one", 1)
        damaged = tortured(made, built(work / "other", 2), work, mutations, seed)
        table("what is damaged", damaged, {"mutations": mutations}, ("refused", "silent", "traceback"))
        wrong += [f"{kind}: {what}" for kind, tally in damaged.items() for what in tally if ":" in what]
        read = read_any(made, work, inputs, seed) if inputs else {}
        table("what is read", read, {"inputs": inputs}, ("read", "refused", "error of Python", "written outside"))
        wrong += [f"{kind}: {what}" for kind, tally in read.items() for what in tally if ":" in what]
        survived = killed(work / "killed", kills, seed) if kills else {}
        table("what is killed", survived, {}, ("killed", "ended before", "files", "other bytes", "failed after"))
        wrong += [
            f"{name}: other bytes" for name, tally in survived.items() if tally["other bytes"] or tally["failed after"]
        ]
        whole = whole_runs(work, runs, seed) if runs else {}
        table("runs that are killed", whole, {}, ("killed", "alone", "ended before", "files", "other bytes", "failed after"))
        wrong += [f"{name}: other bytes" for name, tally in whole.items() if tally["other bytes"] or tally["failed after"]]
    print("\n".join(wrong) if wrong else "nothing lost, nothing silently wrong")
    return int(bool(wrong))


def whole_runs(work: Path, count: int, seed: int) -> dict[str, Counter]:
    """Run config/ci.yaml undisturbed, then in another clone under kills. Return the counts, those of other files as well."""
    undisturbed, disturbed = copy_of_tree(ROOT, work / "undisturbed"), copy_of_tree(ROOT, work / "disturbed")
    begun = time.monotonic()
    done = undisturbed.snakemake(config=CI)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    tally = killed_runs(disturbed, CI, [], count, time.monotonic() - begun, seed, lambda said: print(said, file=sys.stderr))
    expected, found = undisturbed.facts(), disturbed.facts()
    tally["files"] = len(expected)
    tally["other bytes"] = sum(expected.get(name) != found.get(name) for name in {*expected, *found})
    return {CI: tally}


def table(first: str, rows: Mapping[str, Counter], more: Mapping[str, int], words: tuple[str, ...]) -> None:
    print(f"| {first} | {' | '.join([*more, *words])} |\n|{'---|' * (1 + len(more) + len(words))}")
    for name, tally in rows.items():
        print(f"| {name} | {' | '.join(map(str, [*more.values(), *(tally[word] for word in words)]))} |")
    print(flush=True)


if __name__ == "__main__":
    if not all(word.isdigit() for word in sys.argv[1:]):
        sys.exit(str(__doc__))
    sys.exit(main(*map(int, sys.argv[1:])))
