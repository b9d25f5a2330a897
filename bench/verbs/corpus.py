"""Write the passages of an ir_datasets collection as one file that later jobs can slice."""

import itertools
from collections.abc import Iterator
from pathlib import Path

from bench.config.settings import Count
from bench.corpus import downloads, registry
from bench.corpus.texts import Text, write_passages
from bench.errors import DataError
from bench.files.provenance import context
from bench.machine.progress import bar


def corpus(*, dataset: str, passages: Count, template: str, output: Path) -> None:
    """Write the passages of an ir_datasets collection as one file that later jobs can slice.

    :param dataset: ir_datasets id of the collection.
    :param passages: Passages that it must have.
    :param template: Text that default_text() must make of a passage, such as '{title} {text}'.
    :param output: Corpus folder to write.
    """
    if (found := registry.template(dataset)) != template:
        raise DataError(f"default_text() of {dataset} is {found!r} here, the protocol says {template!r}")
    docs = iter(registry.load(dataset).docs_iter())
    with downloads.explained(dataset):
        first = list(itertools.islice(docs, 1))  # what has to be downloaded or extracted is, before the bar starts

    def texts() -> Iterator[Text]:
        count = 0
        with bar(f"read {dataset}", passages, "passages") as progress:
            for doc in itertools.chain(first, docs):
                count += 1
                progress.update()
                yield Text(doc.doc_id, doc.default_text())
        if count != passages:
            raise DataError(
                f"{dataset} has {count} passages here, the protocol says {passages}: wrong version of the data, "
                f"an incomplete download, or (pydocs) packages other than those of requirements.lock"
            )

    settings = {"dataset": dataset, "template": template}
    manifest = write_passages(output, texts(), settings=settings, context=context(__name__))
    count, empty = manifest.counts["passages"], manifest.counts["empty"]
    print(f"{dataset}: {count} passages as {template}, {empty} of them empty; digest {manifest.digest[:16]}")
