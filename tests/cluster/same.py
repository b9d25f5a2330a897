"""Compare the fact files of two runs byte for byte: ``python -m tests.cluster.same ONE OTHER``, each a root of build/ and
results/. Those that are in one alone count as well.
"""

import sys
from pathlib import Path

from tests.workflow.conftest import Checkout


def different(one: Path, other: Path) -> tuple[list[str], int]:
    """Return the names of facts that differ, and how many there are in all."""
    before, after = Checkout(one).facts(), Checkout(other).facts()
    names = sorted({*before, *after})
    return [name for name in names if before.get(name) != after.get(name)], len(names)


if __name__ == "__main__":
    wrong, count = different(Path(sys.argv[1]), Path(sys.argv[2]))
    print("\n".join([*(f"differs: {name}" for name in wrong), f"{count - len(wrong)} of {count} fact files are equal"]))
    sys.exit(bool(wrong) or not count)
