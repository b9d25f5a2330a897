"""Score a shard of mined passages, and the judged ones of its queries, with a teacher or by the judgements alone."""

import math
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.corpus.texts import Passages, Queries, open_passages, open_queries
from bench.encoder import base
from bench.encoder.base import Base
from bench.encoder.encode import TOKENS_PER_BATCH
from bench.errors import DamagedFileError, DataError, SettingsError
from bench.files.provenance import context, package_versions
from bench.machine.progress import bar
from bench.search.lexical import BM25
from bench.training.fusion import fused
from bench.training.mined import Mined, open_mined
from bench.training.scores import Pairs, open_scored, to_score, write_scored
from bench.training.teachers import JUDGEMENTS, Teacher, open_teacher
from bench.verbs import common


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--mined", type=Path, required=True, help="folder of mined passages")
    parser.add_argument("--corpus", type=Path, required=True, help="corpus folder that they are from")
    parser.add_argument("--queries", type=Path, required=True, help="query folder, with judgements")
    parser.add_argument(
        "--teacher",
        choices=("cross-encoder", "bi-encoder", JUDGEMENTS),
        required=True,
        help="what it scores with; judgements: 1 for a relevant passage, 0 for any other",
    )
    parser.add_argument(
        "--folder", type=Path, help="local teacher: of train-teacher or Hugging Face; a bi-encoder's of pool"
    )
    parser.add_argument("--name", help="hub id of a cross-encoder; the paper's is cross-encoder/ms-marco-MiniLM-L-6-v2")
    parser.add_argument("--revision", help="commit of the hub repository, 40 hex digits")
    parser.add_argument("--sha256", help="of model.safetensors")
    parser.add_argument("--max-length", type=int, help="tokens: of a pair, or of a text for a bi-encoder")
    parser.add_argument(
        "--tokens-per-batch", type=int, default=TOKENS_PER_BATCH, help="of a cross-encoder, padding included"
    )
    parser.add_argument(
        "--bm25", type=float, help="fuse with BM25, by this weight beside the teacher's 1, both standardised for each query"
    )
    common.add_compute(parser)
    common.add_output(parser, "folder of scored pairs to write; one that is whole and made the same way is left alone")


def run(args: Namespace) -> None:
    common.prepare_torch(args.threads, device=args.device)
    mined, corpus, queries = open_mined(args.mined), open_passages(args.corpus), open_queries(args.queries)
    for name, digest in (("corpus", corpus.manifest.digest), ("queries", queries.manifest.digest)):
        if mined.manifest.inputs.get(name) != digest:
            raise DataError(f"{args.mined} was mined from other {name} than {getattr(args, name)}: mine it anew")
    teacher = _teacher(args)
    named = ("teacher", "name", "revision", "max_length", "bm25", "tokens_per_batch", "precision", "threads")
    settings = {**{name: getattr(args, name) for name in named}, "mined": mined.manifest.settings}
    inputs = {**mined.manifest.inputs, "mined": mined.manifest.digest, "teacher": teacher.digest if teacher else JUDGEMENTS}
    made = context(__name__)
    made["packages"] |= package_versions(["sentence-transformers"])
    if _is_there(args.output, settings, inputs, made):
        print(f"{args.output} is whole and was made from the same by the same: nothing to score")
        return
    pairs = to_score(mined, _relevant(mined, corpus, queries))
    scores = pairs.relevant.astype(np.float32)
    if teacher is not None:
        asked, passages = _asked(pairs, queries), _passages(pairs, corpus)
        with bar(f"score {args.output.name}", len(passages), "pairs") as progress:
            scores = teacher.score([asked[number] for number in pairs.query_of.tolist()], passages, progress.update)
        if args.bm25 is not None:
            scores = fused(scores, _lexical(pairs, asked, corpus), pairs.offsets, args.bm25)
    manifest = write_scored(args.output, pairs, scores, settings=settings, inputs=inputs, context=made)
    counts = manifest.counts
    print(
        f"{counts['pairs']} pairs of {counts['queries']} queries scored by {args.teacher}; {counts['relevant']} are "
        f"relevant, {counts['missed']} of which were not mined; digest {manifest.digest[:16]}"
    )


def _teacher(args: Namespace) -> Teacher | None:
    """The network that scores, None for judgements; raises SettingsError for flags that do not go with the one or other."""
    given = {name: getattr(args, name) for name in ("folder", "name", "revision", "sha256", "max_length", "bm25")}
    if args.teacher == JUDGEMENTS:
        if wrong := sorted(name for name, value in given.items() if value is not None):
            raise SettingsError(
                f"{wrong} of the command line say nothing to a teacher that is the judgements; leave them out"
            )
        return None
    if args.max_length is None:
        raise SettingsError(f"teacher {args.teacher!r} of the command line needs --max-length, tokens of what it reads")
    if args.bm25 is not None and not 0 < args.bm25 < math.inf:
        raise SettingsError(f"--bm25 {args.bm25} is no weight; give a number above 0, 1 for as much as the teacher has")
    options: dict[str, Any] = {"maxlen": args.max_length, "precision": args.precision, "device": args.device}
    return open_teacher(args.teacher, _folder(args), tokens_per_batch=args.tokens_per_batch, **options)


def _folder(args: Namespace) -> Path:
    """Where the teacher lies, fetched from the hub where it is named; raises SettingsError unless exactly one is given."""
    if (args.folder is None) == (args.name is None):
        raise SettingsError("give either --folder or --name (a hub id, with --revision) of the teacher")
    if args.folder is not None:
        if not args.folder.is_dir():
            raise SettingsError(f"--folder {args.folder} is no folder; give the teacher's, or its hub id as --name")
        return base.locate(Base(name=str(args.folder.absolute()), sha256=args.sha256))
    if args.teacher == "bi-encoder":
        raise SettingsError(
            f"--name {args.name} names no bi-encoder of ours; make a folder with `bench pool`, give --folder"
        )
    return base.locate(Base(name=args.name, revision=args.revision, sha256=args.sha256))


def _is_there(folder: Path, settings: Mapping[str, Any], inputs: Mapping[str, str], made: Mapping[str, Any]) -> bool:
    try:
        manifest = open_scored(folder).manifest
    except DamagedFileError:
        return False
    return (manifest.settings, manifest.inputs, manifest.context) == (settings, inputs, made)


def _relevant(mined: Mined, corpus: Passages, queries: Queries) -> dict[str, Sequence[int]]:
    """Positions of the relevant passages of each mined query; raises DataError for one that the corpus lacks."""
    judged = {query: [p for p, grade in queries.qrels.get(query, {}).items() if grade > 0] for query in mined.ids}
    wanted = {passage for passages in judged.values() for passage in passages}
    position = {name: number for number, name in enumerate(corpus.ids()) if name in wanted}
    for query, passages in judged.items():
        if missing := [passage for passage in passages if passage not in position]:
            raise DataError(f"passage {missing[0]!r}, judged relevant to query {query!r}, is not in {corpus.folder}")
    return {query: [position[passage] for passage in passages] for query, passages in judged.items()}


def _lexical(pairs: Pairs, asked: Sequence[str], corpus: Passages) -> np.ndarray:
    """BM25 ``[pairs]`` float32 of each passage for its query, by the words of the whole corpus."""
    engine = BM25([passage.text for passage in corpus.slice(0, len(corpus))])
    return np.concatenate(engine.score(asked, np.split(pairs.passages, pairs.offsets[1:-1])))


def _asked(pairs: Pairs, queries: Queries) -> list[str]:
    """Text of each mined query ``[queries]``; raises DataError for one that is not among the queries."""
    text = {query.id: query.text for query in queries.texts}
    if unknown := [name for name in pairs.ids if name not in text]:
        raise DataError(f"mined query {unknown[0]!r} is not among the queries given")
    return [text[name] for name in pairs.ids]


def _passages(pairs: Pairs, corpus: Passages) -> list[str]:
    """Text of the passage of every pair ``[pairs]``, each read once."""
    distinct = sorted(set(pairs.passages.tolist()))
    passage = dict(zip(distinct, (found.text for found in corpus.at(distinct)), strict=True))
    return [passage[position] for position in pairs.passages.tolist()]
