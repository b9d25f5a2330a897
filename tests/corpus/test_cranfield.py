"""A published collection through the verbs, from files that are there already (nothing is downloaded)."""

import shutil

import ir_datasets
import pytest

from bench.corpus.texts import open_passages, open_queries
from bench.files.provenance import ROOT
from bench.verbs import corpus, queries

FILES = ROOT.parent / "shared" / "ir_datasets" / "cranfield"


@pytest.fixture
def cranfield():
    if not FILES.exists():
        pytest.skip(f"{FILES} is absent, and a test downloads nothing")
    home = ir_datasets.util.home_path() / "cranfield"
    home.mkdir(exist_ok=True)
    for path in FILES.iterdir():
        shutil.copyfile(path, home / path.name)
    return "cranfield"


def test_cranfield_has_1400_passages_of_which_two_are_empty(cranfield, tmp_path):
    corpus.corpus(dataset=cranfield, passages=1400, template="{title} {text}", output=tmp_path)
    passages = open_passages(tmp_path)
    assert len(passages) == 1400
    assert passages.manifest.counts == {"passages": 1400, "empty": 2}
    assert [text.id for text in passages.slice(0, 1400) if not text.text.strip()] == ["471", "995"]


def test_cranfield_has_225_queries_and_1837_judgements(cranfield, tmp_path):
    asked = {"dataset": cranfield, "without": None, "queries": 225, "judgements": 1837, "grades": [-1, 1, 2, 3, 4]}
    queries.queries(**asked, sample=None, seed=0, ids=None, output=tmp_path)
    found = open_queries(tmp_path)
    assert found.manifest.counts == {"queries": 225, "judged": 225, "judgements": 1837}
    assert len(found.texts) == len(found.qrels) == 225
    assert sum(map(len, found.qrels.values())) == 1837
