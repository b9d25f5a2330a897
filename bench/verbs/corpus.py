"""Write the passages of a collection as one file that later jobs can slice."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.config.settings import Count
from bench.corpus import downloads, registry
from bench.corpus.own.files import Texts
from bench.corpus.own.tables import digests
from bench.corpus.texts import Text, write_passages
from bench.errors import DataError
from bench.files.provenance import context
from bench.machine.progress import bar


def corpus(
    *,
    dataset: str,
    passages: Count,
    template: str,
    file: Path | None = None,
    passage_id: str | None = None,
    output: Path,
) -> None:
    """Write the passages of a collection as one file that later jobs can slice.

    :param dataset: ir_datasets id of the collection, or the name of own data.
    :param passages: Passages that it must have.
    :param template: Text of a passage, such as '{title} {text}'; of ir_datasets, what default_text() must make.
    :param file: File of own data to read instead.
    :param passage_id: Column of it with the id; _id or id if absent.
    :param output: Corpus folder to write.
    """
    own = Texts(file, template, passage_id) if file is not None else None
    found = own if own is not None else _of_ir_datasets(dataset, template)
    manifest = write_passages(
        output,
        _counted(found, passages, dataset),
        None if own is None else lambda: own.place,
        settings={"dataset": dataset, "template": template},
        inputs=digests(passages=file),
        context=context(__name__),
    )
    count, empty = manifest.counts["passages"], manifest.counts["empty"]
    print(f"{dataset}: {count} passages as {template}, {empty} of them empty; digest {manifest.digest[:16]}")


def _of_ir_datasets(dataset: str, template: str) -> Iterator[Text]:
    if (found := registry.template(dataset)) != template:
        raise DataError(f"default_text() of {dataset} is {found!r} here, the protocol says {template!r}")
    docs = iter(registry.load(dataset).docs_iter())
    with downloads.explained(dataset):
        first = list(itertools.islice(docs, 1))  # what has to be downloaded or extracted is, before the bar starts
    return (Text(doc.doc_id, doc.default_text()) for doc in itertools.chain(first, docs))


def _counted(texts: Iterable[Text], passages: int, dataset: str) -> Iterator[Text]:
    """Yield texts. Raise DataError at the end if they are not as many as they must be."""
    count = 0
    with bar(f"read {dataset}", passages, "passages") as progress:
        for text in texts:
            count += 1
            progress.update()
            yield text
    if count != passages:
        raise DataError(
            f"{dataset} has {count} passages here, the protocol says {passages}: wrong version of the data, "
            f"an incomplete download, or (pydocs) packages at other versions: pip install 'colbertv2-bench[pydocs]'"
        )
