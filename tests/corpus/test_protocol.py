"""The evaluation protocol: entries, what a config may change, and what is refused."""

import pytest

from bench.corpus import protocol, registry
from bench.errors import SettingsError
from bench.evaluation import quality
from bench.provenance import ROOT
from bench.settings import read_yaml

DATASETS = read_yaml(ROOT / "config" / "datasets.yaml")
KNOWN = {
    "toy/test": {
        "corpus": "toy/all",
        "passages": 10,
        "queries": 5,
        "query_maxlen": 32,
        "doc_maxlen": 180,
        "measures": ["nDCG@10", "RR@10"],
        "self_match": "none",
        "source": "here",
    }
}


def resolve(overrides, dataset_id="toy/test", known=KNOWN):
    return protocol.resolve(dataset_id, overrides, known, "x.yaml")


def test_the_config_of_a_run_wins_over_the_protocol():
    entry = resolve({"sample": 3, "doc_maxlen": 96})
    assert (entry.sample, entry.doc_maxlen, entry.query_maxlen, entry.passages) == (3, 96, 32, 10)
    assert entry.measures == ("nDCG@10", "RR@10")


def test_names_for_paths_have_no_slash():
    assert (resolve({}).name, resolve({}).corpus_name) == ("toy-test", "toy-all")


def test_an_unknown_key_is_refused_and_the_known_ones_are_named():
    with pytest.raises(SettingsError, match=r"queries\.toy/test in x\.yaml has the unknown keys \['maxlen'\].*query_maxlen"):
        resolve({"maxlen": 32})


def test_the_id_cannot_be_given_as_a_key():
    with pytest.raises(SettingsError, match=r"unknown keys \['id'\]"):
        resolve({"id": "other"})


@pytest.mark.parametrize("sample", [0, -1, 6])
def test_a_sample_outside_the_number_of_queries_is_refused(sample):
    with pytest.raises(SettingsError, match=f"sample {sample} of queries.toy/test in x.yaml must lie between 1 and its 5"):
        resolve({"sample": sample})


def test_a_sample_may_be_the_whole_query_set():
    assert resolve({"sample": 5}).sample == 5


@pytest.mark.parametrize(("key", "value"), [("sample", "3"), ("doc_maxlen", "96"), ("passages", None)])
def test_a_value_of_the_wrong_type_is_refused_by_name(key, value):
    with pytest.raises(SettingsError, match=key):
        resolve({key: value})


def test_a_single_measure_that_is_no_list_is_refused_by_its_whole_name():
    with pytest.raises(SettingsError, match=r"measures.*RR@10"):
        resolve({"measures": "RR@10"})


def test_an_unknown_self_match_policy_is_refused_and_the_known_ones_are_named():
    with pytest.raises(SettingsError, match=r"self_match 'drop'.*\['none', 'removed'\]"):
        resolve({"self_match": "drop"})


@pytest.mark.parametrize(("key", "value", "least"), [("query_maxlen", 3, 4), ("doc_maxlen", 0, 4), ("passages", 0, 1)])
def test_counts_and_lengths_that_cannot_be_are_refused(key, value, least):
    with pytest.raises(SettingsError, match=f"{key} {value} of queries.toy/test in x.yaml must be at least {least}"):
        resolve({key: value})


def test_a_query_set_without_a_measure_is_refused():
    with pytest.raises(SettingsError, match="names no measure"):
        resolve({"measures": []})


def test_an_id_outside_the_protocol_takes_its_counts_from_ir_datasets():
    given = {"query_maxlen": 32, "doc_maxlen": 300, "measures": ["nDCG@10"], "self_match": "none"}
    entry = resolve(given, "beir/scifact/test")
    assert (entry.corpus, entry.passages, entry.queries) == ("beir/scifact", 5183, 300)


def test_an_id_outside_the_protocol_must_bring_everything_else():
    with pytest.raises(SettingsError, match=r"must also give \['doc_maxlen', 'measures', 'query_maxlen', 'self_match'\]"):
        resolve({}, "beir/scifact/test")


def test_an_id_that_ir_datasets_does_not_have_is_refused():
    with pytest.raises(SettingsError, match=r"queries\.toy/nosuch in x\.yaml: 'toy/nosuch' is not an ir_datasets id"):
        resolve({}, "toy/nosuch")


@pytest.mark.parametrize("dataset_id", DATASETS)
def test_every_entry_of_the_protocol_resolves_to_known_measures(dataset_id):
    entry = protocol.resolve(dataset_id, {}, DATASETS, "config/datasets.yaml")
    assert [str(quality.measure(name, dataset_id)) for name in entry.measures] == DATASETS[dataset_id]["measures"]


@pytest.mark.parametrize("dataset_id", DATASETS)
def test_every_entry_of_the_protocol_agrees_with_ir_datasets(dataset_id):
    entry = protocol.resolve(dataset_id, {}, DATASETS, "config/datasets.yaml")
    counts = registry.metadata_counts(dataset_id)
    assert counts.get("docs", entry.passages) == entry.passages
    assert counts.get("queries", entry.queries) == entry.queries
    assert registry.docs_parent(dataset_id) == registry.docs_parent(entry.corpus)
