"""Data sets by id: the embedded ones, their content at the locked versions, and the refusal of unknown ones."""

import tempfile
from pathlib import Path

import ir_datasets
import pytest

from bench.corpus import pydocs, registry
from bench.corpus.texts import open_passages, open_queries
from bench.errors import DataError
from bench.files.provenance import ROOT
from bench.verbs import corpus, queries

CONTENT = {
    "tiny": (200, "fcda53d6ff5e72eac1543740d069d87e6a72eec361d23cb6869b93a2f363d314"),
    "test": (4607, "778f330bff75c5d7528c8468cd1f58a99ef40d577da9ce606bdb43615e492ad9"),
    "train": (17866, "ebc47dfe7db16360cf4f49d9a685e3ca37ff4980e32a14d0635a843df4e3c07d"),
}


def locked_versions():
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


def test_the_home_of_ir_datasets_is_a_temporary_folder():
    assert Path(tempfile.gettempdir()).resolve() in ir_datasets.util.home_path().resolve().parents


def test_the_tiny_corpus_has_200_passages_and_one_relevant_each():
    dataset = registry.load("pydocs/tiny")
    docs = {doc.doc_id: doc.default_text() for doc in dataset.docs_iter()}
    texts = {query.query_id: query.default_text() for query in dataset.queries_iter()}
    judged = [(qrel.query_id, qrel.doc_id, qrel.relevance) for qrel in dataset.qrels_iter()]
    assert len(docs) == len(texts) == 200
    assert sorted(judged) == sorted((name, name, 1) for name in texts)
    assert set(docs) == set(texts)


def test_no_passage_of_the_tiny_corpus_starts_with_its_summary():
    dataset = registry.load("pydocs/tiny")
    passages = {doc.doc_id: " ".join(doc.default_text().split()) for doc in dataset.docs_iter()}
    assert [query.query_id for query in dataset.queries_iter() if passages[query.query_id].startswith(query.text)] == []


def test_the_embedded_corpora_are_extracted_below_the_home_of_ir_datasets():
    path = Path(registry.load("pydocs/tiny").docs_handler().docs_path())
    assert path.parent.parent == ir_datasets.util.home_path() / "pydocs"
    assert path.name == "pairs.jsonl"


@pytest.mark.parametrize("subset", ["tiny", *(pytest.param(name, marks=pytest.mark.slow) for name in ("test", "train"))])
def test_the_content_of_an_embedded_corpus_is_pinned_at_the_locked_versions(subset, tmp_path):
    locked = locked_versions()
    for name, version in pydocs.versions(subset).items():
        if locked[name] != version.partition("+")[0]:
            pytest.skip(f"{name} {version} is installed, requirements.lock has {locked[name]}: the content differs")
    passages, digest = CONTENT[subset]
    corpus.corpus(dataset=f"pydocs/{subset}", passages=passages, template="{text}", output=tmp_path / "corpus")
    assert open_passages(tmp_path / "corpus").manifest.digest == digest


def test_a_collection_with_another_number_of_passages_than_the_protocol_is_refused_and_leaves_no_corpus(tmp_path):
    with pytest.raises(DataError, match="pydocs/tiny has 200 passages here, the protocol says 199"):
        corpus.corpus(dataset="pydocs/tiny", passages=199, template="{text}", output=tmp_path / "corpus")
    assert not (tmp_path / "corpus" / "manifest.json").exists()


def test_a_collection_whose_text_is_made_in_another_way_is_refused(tmp_path):
    with pytest.raises(
        DataError, match=r"default_text\(\) of pydocs/tiny is '{text}' here, the protocol says '{title} {text}'"
    ):
        corpus.corpus(dataset="pydocs/tiny", passages=200, template="{title} {text}", output=tmp_path / "corpus")


TINY = {"dataset": "pydocs/tiny", "without": None, "queries": 200, "judgements": 200, "grades": [1], "ids": None, "seed": 0}


def test_a_sample_of_queries_is_seeded_and_keeps_the_order_of_the_query_set(tmp_path):
    def sample(seed, name):
        queries.queries(**{**TINY, "sample": 20, "seed": seed, "output": tmp_path / name})
        return open_queries(tmp_path / name)

    first, again, other = sample(1, "first"), sample(1, "again"), sample(2, "other")
    order = [query.query_id for query in registry.load("pydocs/tiny").queries_iter()]
    chosen = [text.id for text in first.texts]
    assert len(set(chosen)) == 20
    assert chosen == sorted(chosen, key=order.index)
    assert set(first.qrels) == set(chosen)
    assert first.manifest.digest == again.manifest.digest != other.manifest.digest


def test_a_sample_larger_than_the_judged_queries_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"sample of 201.*200 judged queries"):
        queries.queries(**{**TINY, "sample": 201, "output": tmp_path})


def test_an_unknown_id_is_refused_and_the_embedded_ones_are_named():
    with pytest.raises(DataError, match=r"'pydocs/nosuch' is not an ir_datasets id.*pydocs/train, pydocs/test, pydocs/tiny"):
        registry.load("pydocs/nosuch")


def test_counts_of_a_known_collection_come_without_a_download():
    counts = registry.metadata_counts("cranfield")
    assert (counts["docs"], counts["queries"], counts["qrels"]) == (1400, 225, 1837)


def test_a_collection_without_metadata_has_no_counts():
    assert registry.metadata_counts("pydocs/tiny") == {}


@pytest.mark.parametrize(
    ("dataset_id", "parent"),
    [
        ("beir/scifact/test", "beir/scifact"),
        ("msmarco-passage/dev/small", "msmarco-passage"),
        ("beir/webis-touche2020/v2", "beir/webis-touche2020/v2"),
        ("cranfield", "cranfield"),
        ("pydocs/test", "pydocs/test"),
    ],
)
def test_query_sets_of_one_collection_share_its_id(dataset_id, parent):
    assert registry.docs_parent(dataset_id) == parent
