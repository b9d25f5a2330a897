"""Say which measured numbers are off the printed ones: exit code 0 for none, 1 for any."""

from pathlib import Path

from bench.report import published as printed


def verdict(table: Path, /) -> int:
    """Say which measured numbers are off the printed ones: exit code 0 for none, 1 for any.

    :param table: published.csv of bench published.
    """
    found = printed.read(table, judged=True)
    off = found[found["verdict"] == printed.OFF]
    for row in off.itertuples():
        place = f"{row.source}, {row.table}, {row.system}: {row.dataset} {row.measure}"
        print(f"{place} printed {row.printed}, measured {float(row.measured):.2f}")
    print(printed.counted(found))
    return int(len(off) > 0)
