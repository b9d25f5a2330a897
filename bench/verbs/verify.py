"""Compare every file of an index with its manifest and check that its arrays fit together."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.index.index import open_index


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("index", type=Path, help="index folder")


def run(args: Namespace) -> None:
    index = open_index(args.index)
    print(f"{args.index}: whole; {len(index)} passages, codec {index.manifest.settings['codec']}")
