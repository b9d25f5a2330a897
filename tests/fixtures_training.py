"""A tiny training set on disk: model, corpus, queries, validation queries, tuples with scores, and triples."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from bench.corpus.texts import Text, write_passages, write_queries
from bench.encoder import checkpoint
from bench.files.storage import FolderWriter, write_text
from bench.training.triples import Triple, write_triples
from tests.fixtures_model import WORDS

NWAY = 4


def write_lines(folder, lines, inputs=None, **settings):
    """A folder of tuples in the format that the reader documents."""
    writer = FolderWriter(folder, "tuples", 1)
    write_text(writer.path("tuples.jsonl"), "".join(json.dumps(line) + "\n" for line in lines))
    counts = {"queries": len(lines), "nway": len(lines[0]) - 1}
    return writer.close(settings={"scored": True, "repeats": False, **settings}, inputs=inputs or {}, counts=counts)


@pytest.fixture(scope="session")
def training_set(tmp_path_factory, tiny_encoder):
    """Folders, and 10 tuples of 4 passages out of 30; queries are made of words of their positive."""
    folder = tmp_path_factory.mktemp("training-set")
    rng = np.random.default_rng(11)
    words = WORDS.split()
    passages = [Text(f"p{number}", " ".join(rng.choice(words, rng.integers(5, 12)))) for number in range(30)]
    queries = [Text(f"q{number}", " ".join(passages[number].text.split()[:4])) for number in range(14)]
    qrels = {query.id: {f"p{number}": 1} for number, query in enumerate(queries)}
    corpus = write_passages(folder / "corpus", passages)
    asked = write_queries(folder / "queries", queries, qrels)
    origin = {"corpus": corpus.digest, "queries": asked.digest}
    lines, triples = [], []
    for number in range(10):
        others = rng.choice(np.delete(np.arange(30), number), NWAY - 1, replace=False)
        scores = np.sort(rng.normal(0, 3, NWAY))[::-1].astype(np.float32).tolist()
        lines.append([f"q{number}", *([f"p{p}", s] for p, s in zip((number, *others), scores, strict=True))])
        triples.append(Triple(number, number, (int(others[0]),)))
    write_lines(folder / "tuples", lines, origin)
    write_triples(folder / "triples.jsonl", triples * 40, origin)
    checkpoint.save(tiny_encoder(), folder / "model")
    return SimpleNamespace(folder=folder, passages=passages, queries=queries, lines=lines, origin=origin)


@pytest.fixture
def flags(training_set):
    """Words of the command line of ``bench distill`` or ``bench train``; changes by flag name, None leaves one out."""

    def words(verb, output, **changes):
        folder = training_set.folder
        given = {name: folder / name for name in ("corpus", "queries")} | {"start": folder / "model"}
        given |= {"tuples": folder / "tuples", "in_batch_weight": 0.5} if verb == "distill" else {}
        given |= {"triples": folder / "triples.jsonl"} if verb == "train" else {}
        given |= {"steps": 8, "batch": 4, "learning_rate": 1e-3, "warmup": 2, "temperature": 1.0, "seed": 3, "threads": 1}
        given |= {"query_maxlen": 12, "doc_maxlen": 16, "precision": "float32"}
        given |= {"log": output / "steps.jsonl", "output": output / "model"}
        given |= changes
        pairs = [("--" + name.replace("_", "-"), str(value)) for name, value in given.items() if value is not None]
        return [verb, *(word for pair in pairs for word in pair)]

    return words
