"""Put records of systems measured over the same vectors, ours among them, into a table and one of their ratios."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.report import peers, tables
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--records", type=Path, nargs="+", required=True, help="JSON record of every system, .npz beside it")
    common.add_output(parser, "folder of the tables")


def run(args: Namespace) -> None:
    measured = peers.read(args.records)
    found = peers.frame(measured)
    table = peers.peers_table(found, measured)
    tables.write(args.output / "peers", table)
    tables.write(args.output / "peers_ratios", peers.ratios_table(peers.ratio_frame(found)))
    print(table.shown.to_markdown(index=False, disable_numparse=True))
