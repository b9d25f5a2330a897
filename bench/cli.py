"""The command line: ``bench VERB --flags``. One function of ``bench.verbs`` per verb, imported only when it is called."""

import importlib.metadata
import io
import keyword
import os
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

from cyclopts import App, CycloptsError, Parameter
from pydantic import ValidationError

import bench
from bench.config.settings import explained
from bench.config.yaml import nearest
from bench.errors import BenchError
from bench.files.shipped import DISTRIBUTION
from bench.machine import memory

VERBS = {
    "run": "the workflow of a config: tables, figures and the report",
    "plan": "what a config will cost: vectors, disk, GPU hours and memory",
    "settings": "the schemas and the page of all settings, from their declarations",
    "fetch": "download the data and weights of a config, up front",
    "corpus": "passages of a collection as one file that can be sliced",
    "queries": "queries and judgements of a query set",
    "project": "a model from pretrained weights and a projection",
    "convert": "a model from a late interaction checkpoint, of any layout that is read",
    "export": "a model in the layout of PyLate or of colbert-ai, or an index in that of colbert-ai",
    "import": "an index of colbert-ai or fast-plaid as one of ours",
    "pool": "the single-vector baseline from pretrained weights",
    "training-part": "some queries of a training set, their passages and random others",
    "mine": "the top passages of a model's own search for training queries",
    "score": "mined passages to a teacher's scores",
    "tuples": "n-way tuples for distillation from scored shards or files",
    "train-teacher": "a cross-encoder trained on triples",
    "triples": "training triples with BM25 hard negatives, or of ir_datasets",
    "train": "contrastive training of a model on triples",
    "distill": "training of a model on n-way tuples with a teacher's scores",
    "encode": "a shard of passages to token vectors",
    "encode-queries": "queries to token vectors",
    "merge": "a shard with fewer vectors, near ones of a passage merged into their mean",
    "centroids": "k-means centroids from a sample of passages",
    "assign": "the nearest centroid of every vector of a shard",
    "fit": "a codec fitted on held-out residuals",
    "compress": "the residual bytes of a shard",
    "index": "an index from shards and their compressed parts",
    "verify": "hash every file of a folder and compare it with its manifest",
    "random-vectors": "a shard of vectors of random directions, as many as another has",
    "clusters": "how many clusters hold a token, and how many tokens a cluster",
    "size": "bytes of an index by component",
    "search": "query vectors and an index to a run",
    "bm25": "a run of the lexical baseline",
    "import-run": "a run of another system, checked and with a record",
    "score-run": "a run of any system to quality, by hand",
    "evaluate": "a run to quality",
    "truncation": "what the lengths of passages and queries cut off",
    "latency": "how long a query takes, on pinned threads",
    "tables": "records of runs and sizes to tables",
    "reconstruction": "decoded vectors against uncompressed ones and the rate-distortion bound",
    "losses-report": "records of runs and reconstructions to a table and a figure of losses",
    "worst": "the queries that lost most, with passages that moved and tokens that lost",
    "worst-report": "the worst queries of all models and codecs to one JSON and a table",
    "protocol-report": "records of truncation and runs to a table",
    "show": "where the numbers of a record come from, and the commands that make it again",
    "ask": "questions in the terminal: ranked passages with the tokens that won",
    "serve": "a search box over an index as a page on this machine",
    "explain": "what moved between two runs of a query, and the tokens that made it move",
    "records": "the facts of all runs, indexes and timings in one file",
    "check": "facts against accepted ones: 0 passed, 1 changed, 2 cannot be compared",
    "accept": "facts as the baseline that later ones are compared with",
    "verdict": "which measured numbers are off the printed ones: 0 for none, 1 for any",
    "published": "printed numbers beside measured ones, with a verdict on each",
    "paper-table": "one table of the paper beside measured numbers",
    "clusters-report": "records of clusters to tables and a figure",
    "figures": "records of runs and sizes to figures",
    "page": "tables, figures and values by query in one HTML file that opens on the answer",
    "codecs-report": "runs and sizes to a table and a figure of codecs",
    "peers": "records of systems measured over the same vectors to tables",
    "latency-report": "records of latency to a table and a figure",
    "training-report": "logs of training to a table and a figure",
    "supervision-report": "folders of tuples to a table",
    "models-report": "records of runs to a table of models, paired with one of them",
    "growth": "how search time grows over mixtures of real passages",
    "growth-report": "a record of growth to a table and a figure",
    "gpu-check": "every kernel against the CPU on a GPU, and rates beside their bounds",
    "throughput": "encoding rate against plain AutoModel on the same batches",
}


DEBUG = "--debug"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "BLIS_NUM_THREADS")
SHOWN = 300


def function_of(verb: str) -> str:
    """Return the name of the module and of the function of a verb; a word of Python gets an underscore."""
    return verb.replace("-", "_") + "_" * keyword.iskeyword(verb)


def app(verb: str | None = None) -> App:
    """One verb, or all of them with a line each. Flags come from its signature, and from the declared settings in that."""
    shared = Parameter(consume_multiple=True, negative_iterable=())
    found = App(name="bench", help=bench.__doc__, default_parameter=shared, help_formatter="plain", version_flags=())
    for name, what in VERBS.items():
        function = function_of(name)
        if verb in (None, name):
            found.command(f"bench.verbs.{function}:{function}", name=name, help=None if verb else what)
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb: 0 on success, 1 for what the harness refuses, 2 for wrong flags; either is one line on standard error.

    A verb that judges, such as ``check``, returns its own code. ``--debug`` beside a verb prints the traceback as well.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    debug = DEBUG in words
    words = [word for word in words if word != DEBUG]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal of another encoding shows what it has no letter for as \u....
            stream.reconfigure(errors="backslashreplace")
    # Products of matrices are summed in an order that depends on the number of threads. Verbs set it themselves; the
    # environment, where a scheduler puts the number of cores that it grants, must not.
    os.environ.update(dict.fromkeys(THREADS, "1"))
    if words[:1] == ["--version"]:
        print(importlib.metadata.version(DISTRIBUTION))
        return 0
    verb = words[0] if words and words[0] in VERBS else None
    if words and verb is None and words[0] not in ("-h", "--help"):
        return _refused(None, f"{words[0]!r} is not a verb{nearest(words[0], VERBS)}; the verbs are {', '.join(VERBS)}", 2)
    try:
        memory.guard()
        commands = app(verb)
        if verb is not None:
            _check_whole_numbers(commands[verb], words[1:])
        code = commands(words or ["--help"], exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _refused(verb, *_line(error))
    return (code if isinstance(code, int) else 0) if words else 2


def _check_whole_numbers(command: App, words: Sequence[str]) -> None:
    """Refuse a flag of whole numbers with anything else: cyclopts rounds 1.5, and reads 1_0 and 0x10."""
    whole = {name for flag in command.assemble_argument_collection() if _is_whole(flag.hint) for name in flag.names}
    flag = ""
    for word in words:
        value = word
        if word.startswith("--"):
            flag, given, value = word.partition("=")
            if not given:
                continue
        if flag in whole and not re.fullmatch("[+-]?[0-9]+", value):
            raise CycloptsError(msg=f"{flag} {value!r} of the command line is not a whole number")


def _is_whole(hint: Any) -> bool:
    parts = [part for part in get_args(hint) if part not in (type(None), ...)] if get_origin(hint) is not Literal else []
    if get_origin(hint) is Annotated:
        parts = parts[:1]
    return all(map(_is_whole, parts)) if parts else hint is int


def _line(error: Exception) -> tuple[str, int]:
    """Return what is said of an error, and the exit code."""
    if memory.is_short(error):
        return f"MemoryError: {memory.explained(error)}", 1
    match error:
        case CycloptsError():
            return _flag_error(error), 2
        case ValidationError():
            return f"SettingsError: {explained(error, 'the command line')}", 2
        case BenchError():
            return f"{type(error).__name__}: {error}", 1
        case OSError(strerror=str(reason), filename=str(name)):
            return f"{type(error).__name__}: {name}: {reason}", 1
    said = " ".join(str(error).split())[:SHOWN]
    return f"{type(error).__name__}: {said} (not foreseen: {DEBUG} shows where, please report it)", 1


def _flag_error(error: CycloptsError) -> str:
    if isinstance(error.__cause__, ValidationError):
        flag = error.argument.name if error.argument is not None else ""
        where = f"{flag} of the command line" if flag.startswith("--") else "the command line"
        return f"SettingsError: {explained(error.__cause__, where)}"
    return " ".join(str(error).split())


def _refused(verb: str | None, why: str, code: int) -> int:
    asked = f"bench {verb}" if verb else "bench"
    print(f"{asked}: {why}".replace("\n", " "), file=sys.stderr)
    return code
