"""The command line: ``bench VERB --flags``. One module of ``bench.verbs`` per verb, imported only when it is called."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from bench.errors import BenchError

VERBS = {
    "plan": "what a config will cost: vectors, disk, GPU hours",
    "fetch": "download the data and weights of a config, up front",
    "corpus": "passages of an ir_datasets collection as one file that can be sliced",
    "queries": "queries and judgements of an ir_datasets query set",
    "project": "a model from pretrained weights and a projection",
    "convert": "a model from a late interaction checkpoint, official or ours",
    "pool": "the single-vector baseline from pretrained weights",
    "training-part": "some queries of a training set, their passages and others, by lot",
    "mine": "the top passages of a model's own search for training queries",
    "score": "mined passages to a teacher's scores",
    "tuples": "n-way tuples for distillation from scored shards or files",
    "train-teacher": "a cross-encoder trained on triples",
    "triples": "training triples with BM25 hard negatives, or of ir_datasets",
    "train": "contrastive training of a model on triples",
    "distill": "training of a model on n-way tuples with a teacher's scores",
    "encode": "a shard of passages to token vectors",
    "encode-queries": "queries to token vectors",
    "centroids": "k-means centroids from a sample of passages",
    "assign": "the nearest centroid of every vector of a shard",
    "fit": "a codec fitted on held-out residuals",
    "compress": "the residual bytes of a shard",
    "index": "an index from shards and their compressed parts",
    "verify": "compare every file of an index with its manifest",
    "size": "bytes of an index by component",
    "search": "query vectors and an index to a run",
    "bm25": "a run of the lexical baseline",
    "evaluate": "a run to quality",
    "truncation": "what the lengths of passages and queries cut off",
    "latency": "how long a query takes, on pinned threads",
    "tables": "records of runs and sizes to tables",
    "protocol-report": "records of truncation and runs to a table",
    "figures": "records of runs and sizes to figures",
    "codecs-report": "runs and sizes to a table and a figure of codecs",
    "peers": "records of systems measured over the same vectors to tables",
    "latency-report": "records of latency to a table and a figure",
    "training-report": "logs of training to a table and a figure",
    "supervision-report": "folders of tuples to a table",
    "models-report": "records of runs to a table of models, paired with one of them",
    "growth": "how search time grows over mixtures of real passages",
    "growth-report": "a record of growth to a table and a figure",
    "throughput": "encoding rate against plain AutoModel on the same batches",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb; 0 on success, 1 with one line on standard error for anything that the harness refuses."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in VERBS:
        asked_for_help = bool(words) and words[0] in ("-h", "--help")
        print(_usage(), file=sys.stdout if asked_for_help else sys.stderr)
        return 0 if asked_for_help else 2
    module = importlib.import_module(f"bench.verbs.{words[0].replace('-', '_')}")
    parser = argparse.ArgumentParser(prog=f"bench {words[0]}", description=module.__doc__, allow_abbrev=False)
    module.arguments(parser)
    arguments = parser.parse_args(words[1:])
    try:
        module.run(arguments)
    except BenchError as error:
        print(f"bench {words[0]}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _usage() -> str:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:{width}}  {what}" for verb, what in VERBS.items())
    return f"usage: bench VERB [--help] [flags]\n\n{verbs}"
