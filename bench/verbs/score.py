"""Score a shard of mined passages, and the judged ones of its queries, with a teacher or by the judgements alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from bench.config.compute import Compute
from bench.config.settings import Count, Positive, Settings, Sha256
from bench.config.training import Length
from bench.config.weights import Weights
from bench.corpus.texts import Passages, Queries, open_passages, open_queries
from bench.encoder import base
from bench.errors import DamagedFileError, DataError, SettingsError
from bench.files.provenance import context, package_versions
from bench.machine.progress import bar
from bench.search.lexical import BM25
from bench.training.fusion import fused
from bench.training.mined import Mined, open_mined
from bench.training.scores import Pairs, open_scored, to_score, write_scored
from bench.training.teachers import JUDGEMENTS, Teacher, open_teacher
from bench.verbs.common import Flat, prepare_torch


class TeacherFlags(Settings):
    """A teacher on the command line."""

    teacher: Literal["cross-encoder", "bi-encoder", "judgements"]
    """What scores; judgements: 1 for a relevant passage, 0 for any other."""
    folder: Path | None = None
    """Local teacher: a folder of train-teacher or of Hugging Face; for a bi-encoder a folder of pool."""
    name: str | None = None
    """Hub id of a cross-encoder; the paper's is cross-encoder/ms-marco-MiniLM-L-6-v2."""
    revision: str | None = None
    """Commit of the hub repository, 40 hex digits."""
    sha256: Sha256 | None = None
    """Digest of model.safetensors."""
    max_length: Length | None = None
    """Tokens: of a pair, or of a text for a bi-encoder."""
    bm25: Positive | None = None
    """Weight of BM25's scores beside the teacher's 1, both standardised for each query; none if absent."""
    tokens_per_batch: Count | None = None
    """Tokens of a batch of a cross-encoder, padding included; 2048 if absent, on a GPU as memory allows."""

    def open(self, compute: Compute) -> Teacher | None:
        """Return the network that scores, None for judgements. Raise SettingsError for flags that exclude each other."""
        if self.teacher == JUDGEMENTS:
            if wrong := sorted(set(self.given()) - {"teacher"}):
                raise SettingsError(f"{wrong} of the command line mean nothing to judgements; leave them out")
            return None
        if self.max_length is None:
            raise SettingsError(f"teacher {self.teacher!r} of the command line needs --max-length, tokens of what it reads")
        options = {"maxlen": self.max_length, "precision": compute.precision, "device": compute.device}
        return open_teacher(self.teacher, base.locate(self._weights()), tokens_per_batch=self.tokens_per_batch, **options)

    def _weights(self) -> Weights:
        """Return the place of the teacher. Raise SettingsError unless exactly one place is given."""
        if (self.folder is None) == (self.name is None):
            raise SettingsError("give either --folder or --name (a hub id, with --revision) of the teacher")
        if self.folder is not None:
            if not self.folder.is_dir():
                raise SettingsError(f"--folder {self.folder} is no folder; give the teacher's, or its hub id as --name")
            return Weights(name=str(self.folder.absolute()), sha256=self.sha256)
        if self.teacher == "bi-encoder":
            raise SettingsError(
                f"--name {self.name} names no bi-encoder of ours; make a folder with `bench pool`, give --folder"
            )
        return Weights(name=str(self.name), revision=self.revision, sha256=self.sha256)


def score(
    *,
    mined: Path,
    corpus: Path,
    queries: Path,
    flags: Annotated[TeacherFlags, Flat],
    compute: Annotated[Compute, Flat],
    output: Path,
) -> None:
    """Score a shard of mined passages, and the judged ones of its queries, with a teacher or by the judgements alone.

    :param mined: Folder of mined passages.
    :param corpus: Corpus folder that they are from.
    :param queries: Query folder, with judgements.
    :param output: Folder of scored pairs to write; one that is whole and made the same way is left alone.
    """
    prepare_torch(compute.threads, device=compute.device)
    found, texts, asked = open_mined(mined), open_passages(corpus), open_queries(queries)
    for name, folder, digest in (("corpus", corpus, texts.manifest.digest), ("queries", queries, asked.manifest.digest)):
        if found.manifest.inputs.get(name) != digest:
            raise DataError(f"{mined} was mined from other {name} than {folder}: mine it anew")
    teacher = flags.open(compute)
    named = ("teacher", "name", "revision", "max_length", "bm25", "tokens_per_batch")
    settings = {name: getattr(flags, name) for name in named}
    settings |= {"precision": compute.precision, "threads": compute.threads, "mined": found.manifest.settings}
    inputs = {**found.manifest.inputs, "mined": found.manifest.digest, "teacher": teacher.digest if teacher else JUDGEMENTS}
    made = context(__name__)
    made["packages"] |= package_versions(["sentence-transformers"])
    if _is_there(output, settings, inputs, made):
        print(f"{output} is whole and was made from the same by the same: nothing to score")
        return
    pairs = to_score(found, _relevant(found, texts, asked))
    scores = pairs.relevant.astype(np.float32)
    if teacher is not None:
        questions, passages = _asked(pairs, asked), _passages(pairs, texts)
        with bar(f"score {output.name}", len(passages), "pairs") as progress:
            repeated = [questions[number] for number in pairs.query_of.tolist()]
            scores = teacher.score(repeated, passages, progress.update)
        if flags.bm25 is not None:
            scores = fused(scores, _lexical(pairs, questions, texts), pairs.offsets, flags.bm25)
    manifest = write_scored(output, pairs, scores, settings=settings, inputs=inputs, context=made)
    counts = manifest.counts
    print(
        f"{counts['pairs']} pairs of {counts['queries']} queries scored by {flags.teacher}; {counts['relevant']} are "
        f"relevant, {counts['missed']} of which were not mined; digest {manifest.digest[:16]}"
    )


def _is_there(folder: Path, settings: Mapping[str, Any], inputs: Mapping[str, str], made: Mapping[str, Any]) -> bool:
    try:
        manifest = open_scored(folder).manifest
    except DamagedFileError:
        return False
    return (manifest.settings, manifest.inputs, manifest.context) == (settings, inputs, made)


def _relevant(mined: Mined, corpus: Passages, queries: Queries) -> dict[str, Sequence[int]]:
    """Return positions of the relevant passages of each mined query. Raise DataError for a passage that the corpus lacks."""
    judged = {query: [p for p, grade in queries.qrels.get(query, {}).items() if grade > 0] for query in mined.ids}
    wanted = {passage for passages in judged.values() for passage in passages}
    position = {name: number for number, name in enumerate(corpus.ids()) if name in wanted}
    for query, passages in judged.items():
        if missing := [passage for passage in passages if passage not in position]:
            raise DataError(f"passage {missing[0]!r}, judged relevant to query {query!r}, is not in {corpus.folder}")
    return {query: [position[passage] for passage in passages] for query, passages in judged.items()}


def _lexical(pairs: Pairs, asked: Sequence[str], corpus: Passages) -> np.ndarray:
    """Return the BM25 score ``[pairs]`` float32 of each passage for its query, over the words of the whole corpus."""
    engine = BM25([passage.text for passage in corpus.slice(0, len(corpus))])
    return np.concatenate(engine.score(asked, np.split(pairs.passages, pairs.offsets[1:-1])))


def _asked(pairs: Pairs, queries: Queries) -> list[str]:
    """Return the text of each mined query ``[queries]``. Raise DataError for a mined query that is not among the queries."""
    text = {query.id: query.text for query in queries.texts}
    if unknown := [name for name in pairs.ids if name not in text]:
        raise DataError(f"mined query {unknown[0]!r} is not among the queries given")
    return [text[name] for name in pairs.ids]


def _passages(pairs: Pairs, corpus: Passages) -> list[str]:
    """Return the text of the passage of every pair ``[pairs]``; each passage is read once."""
    distinct = sorted(set(pairs.passages.tolist()))
    passage = dict(zip(distinct, (found.text for found in corpus.at(distinct)), strict=True))
    return [passage[position] for position in pairs.passages.tolist()]
