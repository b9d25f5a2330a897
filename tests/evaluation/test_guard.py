"""The guard: one broken rule at a time."""

import pytest

from bench.errors import DataError, SettingsError
from bench.evaluation import guard
from bench.evaluation.guard import Rules
from bench.files.storage import Manifest
from tests.changes import changed

RULES = Rules(
    passages=10,
    queries=5,
    judgements=7,
    kept=2,
    query_maxlen=32,
    doc_maxlen=180,
    gains="graded",
    self_match="removed",
)
RUN = {"q1": [("d1", 2.0), ("d2", 1.0)], "q2": [("q1", 1.0)]}
RECORD = {
    "settings": {"depth": 100, "self_match": "removed"},
    "index": {"counts": {"passages": 10}, "encode": {"doc_maxlen": 180}},
    "queries": {"query_maxlen": 32},
}
BM25 = {"settings": RECORD["settings"], "corpus": {"counts": {"passages": 10}}}


def manifest(**changes):
    settings = {"queries": 5, "judgements": 7, **changes}
    kept = settings.pop("kept", 2)
    return Manifest("queries", 1, settings, {}, {"queries": kept}, {}, {})


def test_a_run_that_keeps_every_rule_passes():
    guard.check(RULES, RUN, RECORD, manifest(), 100)


def test_bm25_has_no_lengths_to_keep():
    guard.check(RULES, RUN, BM25, manifest(), 100)


BROKEN = {
    "other passages": ({"record": changed(RECORD, "index", "counts", "passages", to=9)}, "9 passages, it must be 10"),
    "other passages of bm25": ({"record": {**BM25, "corpus": {"counts": {"passages": 9}}}}, "9 passages, it must be 10"),
    "other queries": ({"queries": manifest(queries=4)}, "4 queries, it must be 5"),
    "other judgements": ({"queries": manifest(judgements=6)}, "6 judgements, it must be 7"),
    "another sample": ({"queries": manifest(kept=3)}, "3 queries searched, it must be 2"),
    "another passage length": (
        {"record": changed(RECORD, "index", "encode", "doc_maxlen", to=96)},
        "doc_maxlen 96, it must be 180 unless the config overrides it",
    ),
    "another query length": (
        {"record": changed(RECORD, "queries", "query_maxlen", to=64)},
        "query_maxlen 64, it must be 32 unless the config overrides it",
    ),
    "a shallow run": (
        {"record": changed(RECORD, "settings", "depth", to=10)},
        "a run of depth 10, too shallow to be scored at 100",
    ),
    "another policy for self-matches": (
        {"record": changed(RECORD, "settings", "self_match", to="none")},
        "self_match none, it must be removed",
    ),
    "a self-match left in": (
        {"run": {**RUN, "q2": [("q2", 2.0), ("d1", 1.0)]}},
        r"1 queries with themselves among their results, such as \['q2'\]",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_run_is_refused_for(case):
    changes, message = BROKEN[case]
    given = {"run": RUN, "record": RECORD, "queries": manifest(), **changes}
    with pytest.raises(DataError, match=f"^the run breaks the protocol: {message}$"):
        guard.check(RULES, given["run"], given["record"], given["queries"], 100)


def test_every_broken_rule_is_named_at_once():
    with pytest.raises(DataError, match=r"9 passages.*; 4 queries.*; 6 judgements"):
        guard.check(RULES, RUN, changed(RECORD, "index", "counts", "passages", to=9), manifest(queries=4, judgements=6), 100)


def test_equal_ids_are_no_self_matches_where_they_mean_nothing():
    rules = Rules(**{**vars(RULES), "self_match": "none"})
    guard.check(rules, {"q1": [("q1", 1.0)]}, changed(RECORD, "settings", "self_match", to="none"), manifest(), 100)


def test_rules_are_parsed_from_names_and_values():
    assert guard.parse({name: str(value) for name, value in RULES.model_dump().items()}) == RULES


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"passages": None}, "--protocol of the command line: passages: is missing"),
        ({"kept": "0"}, "kept: '0': input should be greater than or equal to 1"),
        ({"passages": "ten"}, "passages: 'ten': input should be a valid integer"),
        ({"colour": "red"}, "colour: is not a known key"),
    ],
)
def test_rules_that_are_not_whole_are_refused(changes, message):
    given = {name: value for name, value in {**RULES.model_dump(), **changes}.items() if value is not None}
    with pytest.raises(SettingsError, match=message):
        guard.parse(given)


def test_names_of_model_and_codec_are_those_of_the_record(tmp_path):
    record = {
        "digest": "d",
        "settings": {"engine": "plaid"},
        "index": {"codec": "residual-2"},
    }
    guard.check_names(tmp_path / "run.trec.gz", record, "m", "residual-2")
    with pytest.raises(SettingsError, match=r"--model m --codec fp16 .* was searched by plaid over residual-2"):
        guard.check_names(tmp_path / "run.trec.gz", record, "m", "fp16")
    with pytest.raises(SettingsError, match=r"--model bm25 --codec residual-2 .* was searched by plaid over residual-2"):
        guard.check_names(tmp_path / "run.trec.gz", record, "bm25", "residual-2")
    record["index"]["encode"] = {"pool": 3}
    guard.check_names(tmp_path / "run.trec.gz", record, "m", "residual-2.pool-3")
    with pytest.raises(SettingsError, match=r"--codec residual-2 .* was searched by plaid over residual-2\.pool-3"):
        guard.check_names(tmp_path / "run.trec.gz", record, "m", "residual-2")


def test_a_record_made_by_hand_without_a_digest_is_taken_as_it_is(tmp_path):
    guard.check_names(tmp_path / "run.trec.gz", {"settings": {"engine": "mine"}}, "m", "c")


def test_a_lexical_run_is_named_bm25_over_text(tmp_path):
    record = {"digest": "d", "settings": {"engine": "bm25"}}
    guard.check_names(tmp_path / "run.trec.gz", record, "bm25", "text")
    with pytest.raises(SettingsError, match="was searched by bm25 over text"):
        guard.check_names(tmp_path / "run.trec.gz", record, "minilm", "text")
