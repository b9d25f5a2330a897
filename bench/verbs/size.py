"""Count the bytes of an index by component, beside the same vectors as plain float16."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from bench.evaluation.size import account
from bench.files.storage import read_manifest, write_json
from bench.index.index import KIND, VERSION
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--index", type=Path, required=True, help="index folder")
    for name in ("corpus", "model"):
        parser.add_argument(f"--{name}", required=True, help=f"name of the {name} in the tables")
    common.add_deviations(parser)
    common.add_output(parser, "size.json to write")


def run(args: Namespace) -> None:
    manifest = read_manifest(args.index, KIND, VERSION, "index")
    ledger = account(manifest)
    axes = {"corpus": args.corpus, "model": args.model, "codec": manifest.settings["codec"]}
    record = {**axes, **ledger, "index": manifest.digest, "settings": manifest.settings, "deviations": dict(args.deviations)}
    write_json(args.output, record)
    print(f"{axes['codec']}: {ledger['bytes_per_vector']:.1f} bytes per vector, everything counted")
