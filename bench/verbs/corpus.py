"""Write the passages of an ir_datasets collection as one file that later jobs can slice."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from bench.corpus import registry
from bench.corpus.texts import Text, write_passages
from bench.errors import DataError
from bench.progress import bar
from bench.provenance import context


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dataset", required=True, help="ir_datasets id of the collection")
    parser.add_argument("--passages", type=int, required=True, help="number of passages that it must have")
    parser.add_argument("--output", type=Path, required=True, help="corpus folder to write")


def run(args: Namespace) -> None:
    empty = 0

    def texts() -> Iterator[Text]:
        nonlocal empty
        count = 0
        with bar(f"read {args.dataset}", args.passages, "passages") as progress:
            for doc in registry.load(args.dataset).docs_iter():
                text = doc.default_text()
                empty += not text.strip()
                count += 1
                progress.update()
                yield Text(doc.doc_id, text)
        if count != args.passages:
            raise DataError(
                f"{args.dataset} has {count} passages here, the protocol says {args.passages}: wrong version of the data, "
                f"an incomplete download, or (pydocs) packages other than those of requirements.lock"
            )

    settings = {"dataset": args.dataset, "template": "default_text() of ir_datasets"}
    counts = {"empty": empty}
    manifest = write_passages(args.output, texts(), settings=settings, context=context(__name__), counts=counts)
    print(f"{args.dataset}: {manifest.counts['passages']} passages, {empty} of them empty; digest {manifest.digest[:16]}")
