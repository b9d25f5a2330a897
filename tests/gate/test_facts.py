"""Records to facts: rows by name, timings by the search that they are of, and the host."""

import pytest

from bench.errors import DataError
from bench.gate import facts

INPUTS = {"corpus": "c", "queries": "q", "model": "m", "index": "i"}
SETTINGS = {"engine": "plaid", "ncells": 2, "centroid_score_threshold": 0.4, "ndocs": 8, "depth": 10, "self_match": "none"}
HOST = {"cpu": "A", "cores": 2}


def metric():
    run = {"settings": SETTINGS, "inputs": INPUTS, "queries": {"query_maxlen": 32}, "counts": {"queries": 1}, "digest": "d"}
    names = {"dataset": "toy", "model": "m", "codec": "residual-2", "preset": "plaid"}
    values = {"measures": ["RR@10"], "mean": {"RR@10": 0.5}, "per_query": {"RR@10": {"q1": 0.5}}}
    return {
        **names,
        **values,
        "counts": {"judged": 1},
        "protocol": {"gains": "binary"},
        "run": {**run, "work": {"scored": 2}},
    }


def timing(host=HOST, **changes):
    settings = {name: value for name, value in SETTINGS.items() if name != "self_match"}
    search = {"p50": 1.5, "queries": 1}
    return {
        "settings": {**settings, "threads": 2, **changes},
        "inputs": INPUTS,
        "queries": {"query_maxlen": 32},
        "index": {"codec": "residual-2"},
        "search": search,
        "host": host,
    }


def test_rows_are_named_by_their_axes_and_hold_what_is_gated():
    found = facts.collect([metric()], [], [timing()])
    row = found.rows["quality"]["toy m residual-2 plaid"]
    assert row["data"] == {"corpus": "c", "queries": "q"}
    assert row["digests"] == {"model": "m", "index": "i", "run": "d"}
    assert row["work"] == {"scored": 2}
    assert row["settings"]["protocol"] == {"gains": "binary"}
    assert found.rows["latency"]["toy m residual-2 plaid on 2 threads"]["p50"] == 1.5
    assert found.host_class.split()[0] != ""


def test_a_record_that_does_not_name_its_run_is_refused():
    record = metric()
    del record["run"]["digest"]
    with pytest.raises(DataError, match="the record of toy m residual-2 plaid does not say of which run it is"):
        facts.collect([record], [], [])


def test_timings_of_several_machines_are_refused():
    other = timing({"cpu": "B", "cores": 2}, threads=1)
    with pytest.raises(DataError, match=r"several machines, which cannot be compared: \['A, 2 CPUs', 'B, 2 CPUs'\]"):
        facts.collect([metric()], [], [timing(), other])


def test_a_timing_of_a_search_that_was_not_evaluated_is_refused():
    with pytest.raises(DataError, match="no record of quality of the same search"):
        facts.collect([metric()], [], [timing(ndocs=16)])


def test_rows_over_merged_vectors_are_rows_of_their_own():
    inputs = {**INPUTS, "index": "other"}
    merged = {**metric(), "codec": "residual-2.pool-2", "run": {**metric()["run"], "inputs": inputs}}
    found = facts.collect([metric(), merged], [], [timing(), {**timing(), "inputs": inputs}])
    assert list(found.rows["quality"]) == ["toy m residual-2 plaid", "toy m residual-2.pool-2 plaid"]
    assert [name for name in found.rows["latency"] if "pool-2" in name] == ["toy m residual-2.pool-2 plaid on 2 threads"]
