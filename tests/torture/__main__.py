"""The long torture: ``python -m tests.torture [MUTATIONS [KILLS [SEED]]]`` prints tables and ends with 1 if one was lost."""

import sys
import tempfile
from pathlib import Path

from tests.torture.damage import tortured
from tests.torture.kill import killed
from tests.torture.pipeline import built


def main(mutations: int = 100, kills: int = 20, seed: int = 0) -> int:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        damaged = tortured(built(work / "one", 1), built(work / "other", 2), work, mutations, seed)
        survived = killed(work / "killed", kills, seed)
    print("| what is damaged | mutations | refused | read in silence | errors of Python |\n|---|---|---|---|---|")
    for kind, tally in damaged.items():
        print(f"| {kind} | {mutations} | {tally['refused']} | {tally['silent']} | {tally['traceback']} |")
    print("\n| what is killed | SIGKILLs | ended before | files | other bytes after a rerun |\n|---|---|---|---|---|")
    for name, tally in survived.items():
        print(f"| {name} | {tally['killed']} | {tally['ended before']} | {tally['files']} | {tally['other bytes']} |")
    wrong = [f"{kind}: {what}" for kind, tally in damaged.items() for what in tally if ":" in what]
    wrong += [f"{name}: other bytes" for name, tally in survived.items() if tally["other bytes"] or tally["failed after"]]
    print("\n" + ("\n".join(wrong) if wrong else "nothing lost, nothing silently wrong"))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
