"""Entries of the protocol: what a config may choose, override, and bring for sets outside of it."""

import pytest

from bench.config import protocol
from bench.config.datasets import QuerySet
from bench.errors import SettingsError

KNOWN = {
    "toy/test": {
        "corpus": "toy/all",
        "passages": 10,
        "template": "{text}",
        "queries": 5,
        "judgements": 7,
        "grades": [0, 1, 2],
        "query_maxlen": 32,
        "doc_maxlen": 180,
        "measures": ["nDCG@10", "RR@10"],
        "gains": "graded",
        "self_match": "none",
        "source": {"counts": "here"},
    }
}
OUTSIDE = {"query_maxlen": 32, "doc_maxlen": 300, "measures": ["nDCG@10"], "gains": "graded", "self_match": "none"}


def resolve(given, dataset_id="toy/test", known=KNOWN):
    where = f"queries.{dataset_id} in x.yaml"
    return protocol.resolve(dataset_id, QuerySet.parse(given, where), known, "x.yaml")


def test_an_entry_of_the_protocol_needs_nothing_from_the_config():
    entry = resolve({})
    assert (entry.id, entry.dataset, entry.kept, entry.deviations) == ("toy/test", "toy/test", 5, {})
    assert (entry.measures, entry.grades) == (("nDCG@10", "RR@10"), (0, 1, 2))


def test_names_for_paths_have_no_slash():
    assert (resolve({}).name, resolve({}).corpus_name) == ("toy-test", "toy-all")


def test_an_override_wins_and_leaves_a_mark_with_both_values():
    entry = resolve({"override": {"doc_maxlen": 96, "measures": ["RR@10"]}})
    assert (entry.doc_maxlen, entry.query_maxlen, entry.measures) == (96, 32, ("RR@10",))
    assert entry.deviations == {"doc_maxlen": "96, protocol 180", "measures": "RR@10, protocol nDCG@10, RR@10"}
    assert entry.index_deviations == {"doc_maxlen": "96, protocol 180"}


def test_an_override_with_the_value_of_the_protocol_is_no_mark():
    assert resolve({"override": {"doc_maxlen": 180}}).deviations == {}


@pytest.mark.parametrize(
    ("key", "value"), [("doc_maxlen", 96), ("query_maxlen", 64), ("self_match", "removed"), ("measures", ["RR@10"])]
)
def test_a_key_of_the_protocol_outside_of_override_is_refused(key, value):
    with pytest.raises(SettingsError, match=rf"queries\.toy/test in x\.yaml changes \['{key}'\].*under `override`"):
        resolve({key: value})


@pytest.mark.parametrize(("key", "value"), [("passages", 9), ("queries", 4), ("judgements", 1), ("corpus", "toy/other")])
def test_what_the_data_decide_is_not_overridden(key, value):
    with pytest.raises(SettingsError, match=rf"override\.{key}: is not a known key.*'doc_maxlen'"):
        resolve({"override": {key: value}})


def test_a_sample_is_a_plain_key_and_a_mark():
    entry = resolve({"sample": 3})
    assert (entry.sample, entry.kept, entry.queries) == (3, 3, 5)
    assert entry.deviations == {"sample": "3 of 5 queries, by seed"}
    assert entry.index_deviations == {}


def test_a_sample_of_the_protocol_itself_is_no_mark():
    known = {"toy/test": {**KNOWN["toy/test"], "sample": 4, "sample_seed": 7}}
    assert (resolve({}, known=known).kept, resolve({}, known=known).deviations) == (4, {})
    assert resolve({"sample": 4}, known=known).deviations == {}
    assert resolve({"sample": 3}, known=known).deviations == {"sample": "3 of 5 queries, by seed"}


def test_a_file_of_ids_takes_the_place_of_the_seed_and_is_a_mark():
    entry = resolve({"ids": "lists/mine.txt", "sample": 2})
    assert (entry.ids, entry.kept, entry.deviations) == (
        "lists/mine.txt",
        2,
        {"sample": "2 of 5 queries, named in mine.txt"},
    )


def test_a_file_of_ids_without_their_number_is_refused():
    with pytest.raises(SettingsError, match=r"names ids in mine\.txt, but no sample: say how many they are"):
        resolve({"ids": "mine.txt"})


def test_a_seed_without_a_sample_is_refused():
    with pytest.raises(SettingsError, match="gives a sample_seed, but no sample to draw"):
        resolve({"sample_seed": 1})


def test_ids_and_a_seed_together_are_refused():
    with pytest.raises(SettingsError, match="gives ids and a sample_seed"):
        resolve({"ids": "mine.txt", "sample": 2, "sample_seed": 1})


@pytest.mark.parametrize("given", [{"maxlen": 32}, {"override": {"maxlen": 32}}])
def test_an_unknown_key_is_refused_and_the_known_ones_are_named(given):
    with pytest.raises(SettingsError, match=r"queries\.toy/test in x\.yaml: .*maxlen: is not a known key .*query_maxlen"):
        resolve(given)


def test_the_id_cannot_be_given_as_a_key():
    with pytest.raises(SettingsError, match=r"id: is not a known key"):
        resolve({"id": "other"})


def test_a_sample_outside_the_number_of_queries_is_refused():
    with pytest.raises(SettingsError, match=r"sample 6 of queries.toy/test in x\.yaml must lie between 1 and its 5"):
        resolve({"sample": 6})


@pytest.mark.parametrize("sample", [0, -1])
def test_a_sample_below_one_is_refused(sample):
    with pytest.raises(
        SettingsError, match=rf"queries\.toy/test in x\.yaml: sample: {sample}: input should be greater than or equal to 1"
    ):
        resolve({"sample": sample})


def test_a_sample_may_be_the_whole_query_set():
    assert resolve({"sample": 5}).sample == 5


@pytest.mark.parametrize(
    ("key", "value"), [("doc_maxlen", "96"), ("doc_maxlen", 3), ("measures", "RR@10"), ("measures", [])]
)
def test_a_value_that_cannot_be_is_refused_by_name(key, value):
    with pytest.raises(SettingsError, match=rf"queries\.toy/test in x\.yaml: override\.{key}"):
        resolve({"override": {key: value}})


def test_an_unknown_self_match_policy_is_refused_and_the_known_ones_are_named():
    with pytest.raises(SettingsError, match=r"self_match: is 'drop'; allowed: 'none', 'removed' or 'absent'"):
        resolve({"override": {"self_match": "drop"}})


def test_an_id_outside_the_protocol_takes_counts_grades_and_template_from_ir_datasets_and_is_marked():
    entry = resolve(OUTSIDE, "beir/scifact/test")
    assert (entry.corpus, entry.passages, entry.queries, entry.judgements) == ("beir/scifact", 5183, 300, 339)
    assert (entry.grades, entry.template) == ((1,), "{title} {text}")
    assert entry.deviations == {"protocol": "of x.yaml"} == entry.index_deviations


def test_an_id_outside_the_protocol_may_be_sampled():
    deviations = resolve({**OUTSIDE, "sample": 30}, "beir/scifact/test").deviations
    assert deviations == {"protocol": "of x.yaml", "sample": "30 of 300 queries, by seed"}


def test_an_id_outside_the_protocol_must_bring_everything_else():
    missing = r"must also give \['doc_maxlen', 'gains', 'measures', 'query_maxlen', 'self_match'\]"
    with pytest.raises(SettingsError, match=missing):
        resolve({}, "beir/scifact/test")


def test_an_id_outside_the_protocol_has_nothing_to_override():
    with pytest.raises(SettingsError, match="beir/scifact/test is not in the protocol, so that nothing can be overridden"):
        resolve({**OUTSIDE, "override": {"doc_maxlen": 96}}, "beir/scifact/test")


def test_an_id_that_ir_datasets_does_not_have_is_refused():
    with pytest.raises(SettingsError, match=r"queries\.toy/nosuch in x\.yaml: 'toy/nosuch' is not an ir_datasets id"):
        resolve({}, "toy/nosuch")
