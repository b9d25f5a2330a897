"""Records of peers: what the table shows, what it computes, and what it refuses to put side by side."""

import json

import numpy as np
import pandas as pd
import pytest

from bench.errors import DamagedFileError, DataError
from bench.report.peers import frame, overlap, peers_table, ratio_frame, ratios_table, read
from bench.verbs import peers as verb

EXACT = np.array([range(100), range(100)])
SHIFTED = EXACT + 50
HOST = {"cpu": "a processor", "cores": 2, "python": "3.11.7"}


def single(setting, p50, threads=1, **values):
    times = {"p50": p50, "p95": 2 * p50, "p99": 3 * p50, "mean": p50}
    return {"setting": setting, "threads": threads, "mode": "single", "ms": times, "values": values}


def batch(setting, rate, threads=2):
    return {"setting": setting, "threads": threads, "mode": "batch", "queries_per_second": rate, "values": {}}


@pytest.fixture
def store(tmp_path):
    """``store(system, searches, rankings)``: a record and its rankings on disk, and the path of the record."""

    def save(system, searches, rankings, **changes):
        record = {
            "system": system,
            "version": "1.0",
            "inputs": {"vectors": "v", "queries": "q"},
            "counts": {"passages": 1000, "vectors": 50000, "dim": 128, "queries": 2},
            "build": {"threads": 2, "seconds": 10.0, "centroids": 2048, "iterations": 4},
            "bytes_per_vector": 40.0,
            "reconstruction_error": 0.05,
            "searches": searches,
            "host": HOST,
            **changes,
        }
        path = tmp_path / f"{system}.json"
        path.write_text(json.dumps(record))
        np.savez(path.with_suffix(".npz"), **rankings)
        return path

    return save


@pytest.fixture
def ours(store):
    return store("ours", [single("a", 2.0), single("a", 1.0, 2), batch("a", 800.0)], {"a": EXACT, "exact": EXACT})


@pytest.fixture
def peer(store):
    searches = [single("b", 8.0), single("c", 16.0), single("b", 5.0, 2), batch("b", 200.0)]
    build = {"threads": 2, "seconds": 25.0, "centroids": 4096, "iterations": 4}
    return store("peer", searches, {"b": SHIFTED, "c": EXACT}, build=build, reconstruction_error=0.1)


@pytest.mark.parametrize(
    ("ranking", "k", "expected"),
    [
        ([[0, 1], [2, 3]], 2, 1.0),
        ([[1, 0], [3, 2]], 2, 1.0),
        ([[0, 9], [2, 9]], 2, 0.5),
        ([[9, 0], [2, 9]], 1, 0.5),
        ([[0, -1], [-1, -1]], 2, 0.25),
    ],
)
def test_overlap_is_the_mean_share_of_the_exact_top_k_that_was_found(ranking, k, expected):
    assert overlap(np.array(ranking), np.array([[0, 1], [2, 3]]), k) == expected


def test_a_row_stands_for_a_system_a_setting_and_a_number_of_threads(ours, peer):
    found = frame(read([peer, ours]))
    assert found[["system", "setting", "threads"]].to_numpy().tolist() == [
        ["ours", "a", 1],
        ["ours", "a", 2],
        ["peer", "b", 1],
        ["peer", "c", 1],
        ["peer", "b", 2],
    ]
    row = found.iloc[4]
    assert row[["build_seconds", "reconstruction_error", "bytes_per_vector"]].tolist() == [25.0, 0.1, 40.0]
    assert row[["p50", "p95", "p99", "queries_per_second"]].tolist() == [5.0, 10.0, 15.0, 200.0]
    assert row[["overlap@10", "overlap@100"]].tolist() == [0.0, 0.5]


def test_what_was_not_measured_is_a_dash_and_never_a_zero(ours, peer):
    measured = read([ours, peer])
    shown = peers_table(frame(measured), measured).shown
    assert shown["queries / s"].tolist() == ["–", "800.0", "–", "–", "200.0"]
    assert shown["p50 ms"].tolist() == ["2.00", "1.00", "8.00", "16.00", "5.00"]
    assert shown["overlap@100"].tolist() == ["1.000", "1.000", "0.500", "1.000", "0.500"]


def test_the_caption_names_machine_versions_and_counts(ours, peer):
    measured = read([ours, peer])
    caption = peers_table(frame(measured), measured).caption
    assert "1,000 passages, 50,000 vectors, 2 queries, on 2 cores of a processor." in caption
    assert "peer 1.0: 4,096 centroids after 4 iterations, built on 2 threads" in caption


def test_a_row_of_a_peer_stands_beside_the_fastest_of_ours_that_finds_as_much(ours, peer):
    found = ratio_frame(frame(read([ours, peer])))
    assert found[["peer setting", "threads", "setting"]].to_numpy().tolist() == [["b", 1, "a"], ["c", 1, "a"], ["b", 2, "a"]]
    assert found["p50"].tolist() == [4.0, 8.0, 5.0]
    assert found["build_seconds"].tolist() == [2.5, 2.5, 2.5]
    assert found["reconstruction_error"].tolist() == [2.0, 2.0, 2.0]
    assert found["queries_per_second"].isna().tolist() == [True, True, False]
    assert found["queries_per_second"].iloc[2] == 4.0
    assert found["overlap@100 peer"].tolist() == [0.5, 1.0, 0.5]
    assert found["overlap@100 ours"].tolist() == [1.0, 1.0, 1.0]


def test_a_faster_setting_that_finds_less_than_the_peer_is_passed_over(store):
    searches = [single("quick", 1.0), single("good", 4.0), single("slow", 6.0)]
    rankings = {"exact": EXACT, "quick": SHIFTED, "good": EXACT, "slow": EXACT}
    mine = store("ours", searches, rankings)
    other = store("peer", [single("b", 8.0), single("c", 8.0)], {"b": SHIFTED, "c": EXACT})
    found = ratio_frame(frame(read([mine, other])))
    assert found["setting"].tolist() == ["quick", "good"]
    assert found["p50"].tolist() == [8.0, 2.0]


def test_where_ours_finds_less_than_the_peer_there_is_no_ratio(store):
    mine = store("ours", [single("quick", 1.0)], {"exact": EXACT, "quick": SHIFTED})
    other = store("peer", [single("c", 8.0)], {"c": EXACT})
    found = ratio_frame(frame(read([mine, other])))
    assert found["setting"].isna().all()
    assert found["p50"].isna().all()
    assert ratios_table(found).shown[["setting", "p50"]].to_numpy().tolist() == [["–", "–"]]


def test_builds_on_different_numbers_of_threads_have_no_ratio(ours, store):
    build = {"threads": 1, "seconds": 25.0, "centroids": 4096, "iterations": 4}
    other = store("peer", [single("b", 8.0)], {"b": EXACT}, build=build)
    found = ratio_frame(frame(read([ours, other])))
    assert found["build_seconds"].isna().all()
    assert ratios_table(found).shown["build"].tolist() == ["–"]


def test_without_a_peer_there_is_a_table_and_no_ratio(ours, tmp_path):
    measured = read([ours])
    assert len(frame(measured)) == 2
    assert len(ratios_table(ratio_frame(frame(measured))).shown) == 0


def test_the_verb_writes_both_tables(ours, peer, tmp_path, capsys):
    output = tmp_path / "results"
    verb.peers(records=[peer, ours], folder=output)
    names = {path.name for path in output.iterdir()}
    assert names == {f"{name}.{suffix}" for name in ("peers", "peers_ratios") for suffix in ("md", "csv", "html", "tex")}
    assert pd.read_csv(output / "peers.csv")["overlap@100"].tolist() == [1.0, 1.0, 0.5, 1.0, 0.5]
    assert capsys.readouterr().out.splitlines()[0].startswith("| system")


def test_no_exact_ranking_is_refused(peer):
    with pytest.raises(DataError, match=r"0 of .* hold the ranking 'exact'"):
        read([peer])


def test_two_exact_rankings_are_refused(ours, store):
    other = store("other", [single("a", 1.0)], {"a": EXACT, "exact": EXACT})
    with pytest.raises(DataError, match=r"2 of .* hold the ranking 'exact'"):
        read([ours, other])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": {"vectors": "w", "queries": "q"}}, "different vectors and queries"),
        ({"inputs": {"vectors": "v", "queries": "r"}}, "different vectors and queries"),
        ({"host": {"cpu": "another", "cores": 2}}, "different machines"),
        ({"host": {"cpu": "a processor", "cores": 64}}, "different machines"),
    ],
)
def test_measurements_that_cannot_be_compared_are_refused(ours, store, changes, message):
    with pytest.raises(DataError, match=message):
        read([ours, store("peer", [single("b", 8.0)], {"b": EXACT}, **changes)])


def test_a_search_without_its_ranking_is_refused(ours, store):
    with pytest.raises(DataError, match=r"searches without rankings: \['b'\]"):
        read([ours, store("peer", [single("b", 8.0)], {"c": EXACT})])


def test_a_ranking_of_another_shape_is_refused(ours, store):
    with pytest.raises(DataError, match=r"has the shape \(2, 10\), expected \(2, 100\)"):
        read([ours, store("peer", [single("b", 8.0)], {"b": EXACT[:, :10]})])


def test_an_exact_ranking_that_ends_early_is_refused(store):
    with pytest.raises(DataError, match="ends before rank 100"):
        read([store("ours", [], {"exact": np.where(EXACT < 99, EXACT, -1)})])


def test_a_record_without_its_rankings_is_refused(ours):
    ours.with_suffix(".npz").unlink()
    with pytest.raises(DamagedFileError, match=r"ours\.npz is missing"):
        read([ours])


def test_rankings_that_are_no_archive_are_refused(ours):
    ours.with_suffix(".npz").write_bytes(b"no archive")
    with pytest.raises(DamagedFileError, match="not a readable"):
        read([ours])


def test_a_record_that_lacks_a_number_is_refused_by_its_name(ours):
    record = json.loads(ours.read_text())
    del record["reconstruction_error"]
    ours.write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"lacks \['reconstruction_error'\]"):
        read([ours])


def test_the_same_search_twice_is_refused(ours, store):
    with pytest.raises(DataError, match="several searches of the same setting"):
        frame(read([ours, store("peer", [single("b", 8.0), single("b", 9.0)], {"b": EXACT})]))


def test_the_same_system_twice_is_refused(ours, peer):
    with pytest.raises(DataError, match="several records for the same row"):
        frame(read([ours, peer, peer]))


def test_a_setting_that_searches_other_files_than_the_index_has_neither_its_size_nor_its_build(store):
    searches = [single("a", 2.0), single("floats", 9.0, codec="float32 in memory")]
    found = frame(read([store("ours", searches, {"a": EXACT, "floats": EXACT, "exact": EXACT})])).set_index("setting")
    of_index = ["build_seconds", "build_threads", "reconstruction_error", "bytes_per_vector"]
    assert found.loc["a", of_index].notna().all()
    assert found.loc["floats", of_index].isna().all()
    assert found.loc["floats", "p50"] == 9.0


def test_another_codec_of_ours_stands_before_the_peers_and_has_ratios_of_its_own(ours, peer, store):
    smaller = {"package": "ours", "bytes_per_vector": 20.0}
    other = store("ours, small", [single("s", 1.0), single("s", 0.5, 2)], {"s": SHIFTED}, **smaller)
    found = frame(read([peer, other, ours]))
    assert list(dict.fromkeys(found["system"])) == ["ours", "ours, small", "peer"]
    assert found["ours"].tolist() == [True] * 4 + [False] * 3
    assert found.loc[found["setting"] == "s", "overlap@100"].tolist() == [0.5, 0.5]
    ratios = ratio_frame(found).set_index(["peer setting", "threads", "ours"])
    assert ratios.loc[("b", 1, "ours, small"), ["setting", "p50", "bytes_per_vector"]].tolist() == ["s", 8.0, 2.0]
    assert ratios.loc[("b", 1, "ours"), "p50"] == 4.0
    assert ratios["setting"].isna().tolist() == [False, False, False, True, False, False]
