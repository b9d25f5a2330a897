"""Compare every file of an index with its manifest and check that its arrays fit together."""

from pathlib import Path

from bench.index.index import open_index


def verify(index: Path) -> None:
    """Compare every file of an index with its manifest and check that its arrays fit together.

    :param index: Index folder.
    """
    opened = open_index(index)
    print(f"{index}: whole; {len(opened)} passages, codec {opened.manifest.settings['codec']}")
