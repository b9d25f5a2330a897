"""The protocol file: families, groups, what is refused, and its counts beside ir_datasets' own metadata."""

import pytest

from bench.config import datasets, measures, protocol, yaml
from bench.config.yaml import Document
from bench.corpus import registry
from bench.errors import SettingsError
from bench.files.provenance import ROOT
from tests.changes import changed

FILE = ROOT / "config" / "datasets.yaml"
PROTOCOL = datasets.read(FILE)
COUNTED = {"passages": "docs", "queries": "queries", "judgements": "qrels"}
PUBLISHED = [name for name in PROTOCOL.sets if registry.metadata_counts(PROTOCOL.sets[name].get("dataset", name))]

SMALL = {
    "families": {
        "one": {
            "shared": {"doc_maxlen": 180, "measures": ["RR@10"], "source": {"lengths": "here", "measures": "there"}},
            "sets": {"a/x": {"queries": 5}, "a/y": {"queries": 6, "doc_maxlen": 96, "source": {"lengths": "elsewhere"}}},
        },
        "two": {"shared": {}, "sets": {"b": {"measures": ["nDCG@10", "RR@10"]}}},
    },
    "groups": {"both": {"title": "Both", "measure": "RR@10", "members": ["a/x", "a/y"]}},
}


def entry(dataset_id):
    return protocol.resolve(dataset_id, None, PROTOCOL.sets, "x.yaml")


def test_a_set_has_what_its_family_shares_and_its_own_keys_win():
    found = datasets.parse(Document(SMALL, "p.yaml")).sets
    assert found["a/x"] == {
        "queries": 5,
        "doc_maxlen": 180,
        "measures": ("RR@10",),
        "source": {"lengths": "here", "measures": "there"},
    }
    assert found["a/y"]["doc_maxlen"] == 96


def test_a_set_names_the_source_of_what_it_changes_and_keeps_those_of_the_family():
    assert datasets.parse(Document(SMALL, "p.yaml")).sets["a/y"]["source"] == {"lengths": "elsewhere", "measures": "there"}


def test_a_group_keeps_the_order_of_its_members():
    group = datasets.parse(Document(SMALL, "p.yaml")).groups["both"]
    assert (group.title, group.measure, group.members) == ("Both", "RR@10", ("a/x", "a/y"))


REFUSED = {
    "an unknown key of a set": (
        changed(SMALL, "families", "one", "sets", "a/x", to={"maxlen": 3}),
        r"p\.yaml: families\.one\.sets\.a/x\.maxlen: is not a known key .*known: .*'doc_maxlen'",
    ),
    "a policy for self-matches that is none": (
        changed(SMALL, "families", "one", "shared", "self_match", to="drop"),
        r"self_match: is 'drop'; allowed: 'none', 'removed' or 'absent'",
    ),
    "a set in two families": (
        changed(SMALL, "families", "two", "sets", "a/x", to={}),
        "a/x of the family two stands in another family too",
    ),
    "a group with a member that is no set": (
        changed(SMALL, "groups", "both", "members", to=["a/x", "a/z"]),
        r"groups\.both is a mean of RR@10, but a/z is no query set there",
    ),
    "a group with a member of another headline": (
        changed(SMALL, "groups", "both", "members", to=["a/x", "b"]),
        r"groups\.both is a mean of RR@10, but b has the headline nDCG@10",
    ),
    "a group of one": (changed(SMALL, "groups", "both", "members", to=["a/x"]), r"groups\.both\.members"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_protocol_is_refused_for(case):
    values, message = REFUSED[case]
    with pytest.raises(SettingsError, match=message):
        datasets.parse(Document(values, "p.yaml"))


def test_the_protocol_has_the_query_sets_of_the_paper():
    families = yaml.read(FILE).values["families"]
    assert {name: len(family["sets"]) for name, family in families.items()} == {
        "msmarco": 3,
        "trec-dl": 2,
        "beir": 13,
        "cqadupstack": 12,
        "lotte": 24,
        "wikipedia": 2,
        "pydocs": 3,
        "cranfield": 1,
    }
    assert len(PUBLISHED) == 60 - 3


def test_cqadupstack_has_the_queries_and_passages_of_all_its_forums():
    members = [entry(name) for name in PROTOCOL.groups["cqadupstack-12"].members]
    assert (sum(found.queries for found in members), sum(found.passages for found in members)) == (13145, 457199)


def test_groups_are_complete():
    families = yaml.read(FILE).values["families"]
    assert PROTOCOL.groups["beir-13"].members == tuple(families["beir"]["sets"])
    assert PROTOCOL.groups["cqadupstack-12"].members == tuple(families["cqadupstack"]["sets"])
    for split in ("dev", "test"):
        for kind in ("search", "forum"):
            topics = [
                name for name in families["lotte"]["sets"] if name.endswith(f"{split}/{kind}") and "pooled" not in name
            ]
            assert PROTOCOL.groups[f"lotte-{split}-{kind}"].members == tuple(topics)
            assert len(topics) == 5


@pytest.mark.parametrize("dataset_id", PROTOCOL.sets)
def test_every_entry_resolves_to_known_measures_and_no_mark(dataset_id):
    found = entry(dataset_id)
    assert tuple(str(measures.measure(name, dataset_id)) for name in found.measures) == found.measures
    assert found.deviations == {}
    assert {"counts", "lengths", "measures"} <= set(found.source)


@pytest.mark.parametrize("dataset_id", PUBLISHED)
def test_every_count_agrees_with_the_metadata_of_ir_datasets(dataset_id):
    found = entry(dataset_id)
    counts = registry.metadata_counts(found.dataset)
    without = registry.metadata_counts(found.without) if found.without else {"queries": 0, "qrels": 0}
    assert {key: getattr(found, key) for key in COUNTED} == {
        key: counts[name] - without.get(name, 0) * (key != "passages") for key, name in COUNTED.items()
    }
    assert list(found.grades) == registry.metadata_grades(found.dataset)


@pytest.mark.parametrize("dataset_id", PROTOCOL.sets)
def test_every_corpus_and_template_are_those_of_ir_datasets(dataset_id):
    found = entry(dataset_id)
    assert registry.docs_parent(found.dataset) == registry.docs_parent(found.corpus)
    assert registry.template(found.corpus) == found.template


@pytest.mark.parametrize("dataset_id", PROTOCOL.sets)
def test_gains_are_graded_where_grades_differ_and_nothing_else_is_asked_of_them(dataset_id):
    found = entry(dataset_id)
    if found.measures[0].startswith("nDCG"):
        assert found.gains == ("graded" if max(found.grades) > 1 else "binary")


def test_query_sets_that_share_a_collection_agree_on_its_index():
    shared = {}
    for name in PROTOCOL.sets:
        found = entry(name)
        shared.setdefault(found.corpus, set()).add((found.passages, found.doc_maxlen, found.template))
    assert {corpus: len(index) for corpus, index in shared.items() if len(index) > 1} == {}
    assert len(shared) == 1 + 13 + 12 + 12 + 1 + 3 + 1


def test_the_protocol_pins_what_is_often_wrong():
    assert (entry("beir/arguana").query_maxlen, entry("beir/arguana").self_match) == (300, "removed")
    assert entry("beir/climate-fever").query_maxlen == 64
    assert entry("beir/webis-touche2020/v2").judgements == 2214
    assert entry("beir/quora/test").self_match == "absent"
    assert entry("lotte/pooled/test/search").passages == 2819103
    assert {entry(name).self_match for name in PROTOCOL.sets} == {"none", "removed", "absent"}


def test_local_eval_is_5000_judged_queries_of_dev_outside_dev_small():
    found = entry("msmarco-passage/dev/local-eval")
    assert (found.dataset, found.without) == ("msmarco-passage/dev/judged", "msmarco-passage/dev/small")
    assert (found.kept, found.queries, found.sample_seed) == (5000, 55578 - 6980, 20211202)
    assert found.corpus_name == entry("msmarco-passage/dev/small").corpus_name
