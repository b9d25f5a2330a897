"""Write the passages of an ir_datasets collection as one file that later jobs can slice."""

import itertools
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path

from bench.corpus import downloads, registry
from bench.corpus.texts import Text, write_passages
from bench.errors import DataError
from bench.files.provenance import context
from bench.machine.progress import bar


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--dataset", required=True, help="ir_datasets id of the collection")
    parser.add_argument("--passages", type=int, required=True, help="number of passages that it must have")
    parser.add_argument(
        "--template", required=True, help="text that default_text() must make of a passage, as '{title} {text}'"
    )
    parser.add_argument("--output", type=Path, required=True, help="corpus folder to write")


def run(args: Namespace) -> None:
    if (found := registry.template(args.dataset)) != args.template:
        raise DataError(f"default_text() of {args.dataset} is {found!r} here, the protocol says {args.template!r}")
    docs = iter(registry.load(args.dataset).docs_iter())
    with downloads.explained(args.dataset):
        first = list(itertools.islice(docs, 1))  # what has to be downloaded or extracted is, before the bar starts

    def texts() -> Iterator[Text]:
        count = 0
        with bar(f"read {args.dataset}", args.passages, "passages") as progress:
            for doc in itertools.chain(first, docs):
                count += 1
                progress.update()
                yield Text(doc.doc_id, doc.default_text())
        if count != args.passages:
            raise DataError(
                f"{args.dataset} has {count} passages here, the protocol says {args.passages}: wrong version of the data, "
                f"an incomplete download, or (pydocs) packages other than those of requirements.lock"
            )

    settings = {"dataset": args.dataset, "template": args.template}
    manifest = write_passages(args.output, texts(), settings=settings, context=context(__name__))
    count, empty = manifest.counts["passages"], manifest.counts["empty"]
    print(f"{args.dataset}: {count} passages as {args.template}, {empty} of them empty; digest {manifest.digest[:16]}")
