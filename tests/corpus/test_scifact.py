"""SciFact of BEIR through the verbs, from files that are there already: counts, and BM25 beside the printed number."""

import shutil

import ir_datasets
import pytest

from bench.corpus.texts import open_passages, open_queries
from bench.evaluation.quality import evaluate
from bench.evaluation.runs import read_run
from bench.files.provenance import ROOT
from bench.report import published
from bench.verbs import bm25, corpus, queries

ARCHIVE = ROOT.parent / "shared" / "ir_datasets" / "beir" / "scifact" / "source.zip"


@pytest.fixture(scope="module")
def scifact(tmp_path_factory):
    if not ARCHIVE.exists():
        pytest.skip(f"{ARCHIVE} is absent, and a test downloads nothing")
    home, folder = ir_datasets.util.home_path() / "beir" / "scifact", tmp_path_factory.mktemp("scifact")
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ARCHIVE, home / "source.zip")
    corpus.corpus(dataset="beir/scifact", passages=5183, template="{title} {text}", output=folder / "corpus")
    asked = {"dataset": "beir/scifact/test", "queries": 300, "judgements": 339, "grades": (1,)}
    queries.queries(**asked, output=folder / "queries")
    return folder


def test_scifact_has_5183_passages_300_queries_and_339_judgements(scifact):
    assert len(open_passages(scifact / "corpus")) == 5183
    assert open_queries(scifact / "queries").manifest.counts == {"queries": 300, "judged": 300, "judgements": 339}


def test_bm25_is_within_the_tolerance_of_the_printed_number(scifact):
    run = scifact / "run.trec.gz"
    bm25.bm25(corpus=scifact / "corpus", queries=scifact / "queries", depth=100, output=run)
    found = evaluate(read_run(run), open_queries(scifact / "queries").qrels, ["nDCG@10", "R@100"], 100, "binary")
    assert found.mean == pytest.approx({"nDCG@10": 0.6625, "R@100": 0.8759}, abs=0.0005)
    printed = published.read(ROOT / "results" / "published.csv")
    (row,) = printed[(printed["dataset"] == "beir/scifact/test") & (printed["model"] == "bm25")].to_dict("records")
    assert abs(100 * found.mean["nDCG@10"] - float(row["printed"])) <= float(row["tolerance"])
