"""What a data set is downloaded from: by the objects of ir_datasets itself, and nothing is downloaded here."""

import contextlib
import hashlib
import io

import pytest
from ir_datasets.datasets.base import Dataset
from ir_datasets.formats import TsvDocs, TsvQueries
from ir_datasets.util import Cache, GzipExtract
from ir_datasets.util.download import Download, RequestsDownload

from bench.config.datasets import read
from bench.corpus import downloads, registry
from bench.errors import DataError
from bench.files.provenance import ROOT

SETS = read(ROOT / "config" / "datasets.yaml").sets


@pytest.fixture
def offline(monkeypatch):
    """A machine without a network, whatever machine this is."""

    def stream(self):
        raise ConnectionError(f"no route to {self.url}")

    monkeypatch.setattr(RequestsDownload, "stream", stream)


@pytest.mark.parametrize("dataset_id", [name for name in SETS if not name.startswith("pydocs")])
def test_every_download_of_the_protocol_has_a_size_a_digest_and_a_place(dataset_id):
    found = downloads.files(SETS[dataset_id].get("dataset", dataset_id))
    assert found
    for file in found:
        assert file.url.startswith("http")
        assert file.bytes > 0
        assert len(file.md5) == 32
        assert file.places


def test_a_query_set_needs_its_own_files_and_none_of_its_neighbours():
    found = {file.url.rpartition("/")[2]: file.bytes for file in downloads.files("msmarco-passage/trec-dl-2019/judged")}
    assert found == {
        "collectionandqueries.tar.gz": 1_057_717_952,
        "msmarco-test2019-queries.tsv.gz": 4_276,
        "2019qrels-pass.txt": 187_092,
    }


def test_all_of_lotte_is_one_archive():
    found = {file.url for name in SETS if name.startswith("lotte/") for file in downloads.files(name)}
    assert len(found) == 1


def test_embedded_data_sets_are_not_downloaded():
    assert downloads.files("pydocs/test") == []


class Mirror:
    """A server of one file."""

    url = "https://example.org/file"

    def __init__(self, content):
        self.content, self.asked = content, 0

    @contextlib.contextmanager
    def stream(self):
        self.asked += 1
        yield io.BytesIO(self.content)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A maker of a data set whose passages and queries are taken out of one download."""

    def make(content=b"q1\tfirst\n", md5=None):
        mirror = Mirror(content)
        digest = md5 or hashlib.md5(content).hexdigest()
        download = Download([mirror], cache_path=str(tmp_path / "source.tsv"), expected_md5=digest, size_hint=len(content))
        queries = TsvQueries(Cache(download, tmp_path / "queries.tsv"))
        monkeypatch.setattr(registry, "load", lambda name: Dataset(TsvDocs(download), queries))
        return mirror

    return make


def test_a_fetched_data_set_is_here_and_is_not_fetched_again(made, tmp_path):
    mirror = made()
    (before,) = downloads.files("made")
    assert (before.here, before.bytes, before.places) == (False, 9, (tmp_path / "source.tsv", tmp_path / "queries.tsv"))
    downloads.fetch("made")
    (after,) = downloads.files("made")
    assert after.here
    assert (tmp_path / "queries.tsv").read_bytes() == (tmp_path / "source.tsv").read_bytes() == mirror.content
    downloads.fetch("made")
    assert mirror.asked == 1


def test_what_is_taken_out_of_a_download_is_enough_but_only_for_itself(made, tmp_path):
    made()
    (tmp_path / "queries.tsv").write_bytes(b"q1\tfirst\n")
    assert [file.here for file in downloads.files("made", ("queries",))] == [True]
    assert [file.here for file in downloads.files("made")] == [False]


def test_a_download_with_another_digest_is_refused_and_leaves_nothing(made, tmp_path):
    made(md5="0" * 32)
    with pytest.raises(DataError, match=r"made is not all here and could not be downloaded: expected .*source\.tsv"):
        downloads.fetch("made")
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_data_that_are_all_here_stays_what_it_is(made):
    made()
    downloads.fetch("made")
    with pytest.raises(RuntimeError, match="something else"), downloads.explained("made"):
        raise RuntimeError("something else")


def test_without_a_network_a_missing_data_set_is_named_with_the_places_of_its_files(offline):
    with pytest.raises(DataError) as caught:
        downloads.fetch("beir/scifact/test")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("beir/scifact/test is not all here and could not be downloaded: expected /")
    assert "beir/scifact/source.zip" in message
    assert "datasets/scifact.zip" in message
    assert "`bench fetch`" in message
    assert "no route to" in message


def test_a_compressed_download_without_a_cache_of_its_own_is_seen_too(tmp_path, monkeypatch):
    download = Download([Mirror(b"")], cache_path=str(tmp_path / "source.gz"), expected_md5="0" * 32, size_hint=5)
    monkeypatch.setattr(registry, "load", lambda name: Dataset(TsvDocs(GzipExtract(download))))
    assert [file.places for file in downloads.files("made")] == [(tmp_path / "source.gz",)]
