"""SciFact of BEIR through the verbs, from files that are there already: counts, and BM25 beside the printed number."""

import os
import shutil
import subprocess
import sys

import pytest

from bench.corpus.texts import open_passages, open_queries
from bench.evaluation.quality import evaluate
from bench.evaluation.runs import read_run
from bench.files.provenance import ROOT
from bench.report import published

ARCHIVE = ROOT.parent / "shared" / "ir_datasets" / "beir" / "scifact" / "source.zip"
QUERIES = ["--dataset", "beir/scifact/test", "--queries", "300", "--judgements", "339", "--grades", "1"]


def test_scifact_has_its_counts_and_bm25_is_within_the_tolerance_of_the_printed_number(tmp_path):
    if not ARCHIVE.exists():
        pytest.skip(f"{ARCHIVE} is absent, and a test downloads nothing")
    home, corpus, queries, run = (tmp_path / name for name in ("home", "corpus", "queries", "run.trec.gz"))
    (home / "beir" / "scifact").mkdir(parents=True)
    shutil.copyfile(ARCHIVE, home / "beir" / "scifact" / "source.zip")
    passages = ["--dataset", "beir/scifact", "--passages", "5183", "--template", "{title} {text}"]
    for words in (
        ["corpus", *passages, "--output", corpus],
        ["queries", *QUERIES, "--seed", "0", "--output", queries],
        ["bm25", "--corpus", corpus, "--queries", queries, "--depth", "100", "--output", run],
    ):  # in processes of their own: other tests have made files of the same name in the folder of ir_datasets
        environment = {**os.environ, "IR_DATASETS_HOME": str(home), "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-m", "bench", *words], env=environment, check=True, capture_output=True)
    assert len(open_passages(corpus)) == 5183
    assert open_queries(queries).manifest.counts == {"queries": 300, "judged": 300, "judgements": 339}
    found = evaluate(read_run(run), open_queries(queries).qrels, ["nDCG@10", "R@100"], 100, "binary")
    assert found.mean == pytest.approx({"nDCG@10": 0.6625, "R@100": 0.8759}, abs=0.0005)
    printed = published.read(ROOT / "results" / "published.csv")
    (row,) = printed[(printed["dataset"] == "beir/scifact/test") & (printed["model"] == "bm25")].to_dict("records")
    assert abs(100 * found.mean["nDCG@10"] - float(row["printed"])) <= float(row["tolerance"])
