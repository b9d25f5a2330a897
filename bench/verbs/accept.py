"""Accept the facts of a benchmark as the baseline that later ones are compared with."""

from pathlib import Path

from bench.gate import baseline as accepted
from bench.gate import facts, output
from bench.gate.check import check


def accept(results: Path, /, *, baseline: Path) -> None:
    """Accept the facts of a benchmark as the baseline that later ones are compared with.

    The tolerances of a baseline that is there are kept, and what differs from it is printed. A work tree with changes that
    are not committed is refused, since the baseline names the commit that made it.

    :param results: Folder of tables, such as results/ci, with its records.json.
    :param baseline: File to write.
    """
    found, _ = facts.read(results / facts.FILE)
    if baseline.exists():
        before, tolerances = accepted.read(baseline)
        print(output.text(check(found, before, tolerances)))
    commit = accepted.write(baseline, found)
    print(f"accepted in {baseline}, of commit {commit[:12]}, for {found.host_class}")
