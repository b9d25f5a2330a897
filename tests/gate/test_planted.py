"""The gate bites: every planted fault fails, and the rows that it touches are named."""

import json

import numpy as np
import pytest

from bench.cli import main
from bench.codec import kmeans, residual
from bench.codec.codec import Codec
from bench.evaluation import quality
from bench.gate import baseline, facts
from bench.gate.facts import Facts
from bench.search import ranking
from bench.search.colbertv2 import ColBERTv2
from bench.verbs import search as search_verb

ROWS = ["made m residual-2 colbertv2", "made m residual-2 exact", "made m residual-2 plaid"]
INDEX = "made m residual-2"


@pytest.fixture(scope="module")
def accepted(made, tmp_path_factory):
    """A baseline for this class of host, and the same one for another class."""
    folder = tmp_path_factory.mktemp("accepted")
    found, _ = facts.read(made(folder) / facts.FILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline, "_commit", lambda _: "0" * 40)
        baseline.write(folder / "here.json", found)
    made_elsewhere = {**found.made, "host": {**found.made["host"], "class": "another"}}
    with_tolerances = json.loads((folder / "here.json").read_text())["tolerances"]
    facts.write(folder / "elsewhere.json", Facts(found.rows, made_elsewhere, "elsewhere"), tolerances=with_tolerances)
    return folder


@pytest.fixture
def checked(accepted, made, tmp_path, capsys):
    """``checked(host, **how)``: exit code, and the facts that failed by row, of a benchmark that is made now."""

    def run(host, **how):
        results = made(tmp_path, **how)
        capsys.readouterr()
        junit = tmp_path / "junit.xml"
        code = main(["check", str(results), "--baseline", str(accepted / f"{host}.json"), "--junit", str(junit)])
        *lines, _ = capsys.readouterr().out.splitlines()
        failed = {}
        for line in lines:
            row, _, rest = line.partition(": ")
            failed.setdefault(row, []).append(rest.split()[0])
        return code, failed

    return run


def weights_shuffled(patch):
    fit = residual.fit
    patch.setattr(residual, "fit", lambda found, nbits: (fit(found, nbits)[0], fit(found, nbits)[1][[1, 0, 3, 2]]))


def centroid_zeroed(patch):
    fit = kmeans.fit

    def zeroed(*given, **named):
        centroids = fit(*given, **named).copy()
        centroids[0] = 0
        return centroids

    patch.setattr(kmeans, "fit", zeroed)


def bits_in_the_other_order(patch):
    encode = Codec.encode

    def reversed_bits(*given, **named):
        found = encode(*given, **named)
        return sum(((found >> shift) & 3) << (6 - shift) for shift in (0, 2, 4, 6)).astype(np.uint8)

    patch.setattr(Codec, "encode", reversed_bits)


def nprobe_halved(patch):
    start = ColBERTv2.__init__
    patch.setattr(
        ColBERTv2,
        "__init__",
        lambda self, kernels, *, nprobe, ncandidates: start(self, kernels, nprobe=nprobe // 2, ncandidates=ncandidates),
    )


def ties_reversed_in_search(patch):
    top = ranking.top

    def reversed_ties(passages, scores, k, id_rank):
        return top(passages, scores, k, -id_rank)

    for module in ("bench.search.ranking", "bench.search.kernels.cpu", "bench.search.exact"):
        patch.setattr(f"{module}.top", reversed_ties, raising=False)


def ties_reversed_in_evaluation(patch):
    def ranked(found, depth):
        ordered = sorted(sorted(found, reverse=True), key=lambda item: -item[1])[:depth]
        return {passage: float(depth - place) for place, (passage, _) in enumerate(ordered)}

    patch.setattr(quality, "_ranked", ranked)


def query_dropped(patch):
    write = search_verb.save
    patch.setattr(search_verb, "save", lambda path, run, *made: write(path, {q: run[q] for q in list(run)[1:]}, *made))


def gains_made_binary(patch):
    patch.setitem(quality.GAINS, "graded", quality.GAINS["binary"])


# By fault: the rows that it must fail, here and on another class of host, where only what exceeds the tolerances is seen.
FAULTS = {
    weights_shuffled: ([*ROWS, INDEX], ROWS),
    centroid_zeroed: ([*ROWS, INDEX], ROWS[2:]),
    bits_in_the_other_order: ([*ROWS, INDEX], ROWS),
    nprobe_halved: ([ROWS[0]], [ROWS[0]]),
    ties_reversed_in_search: (ROWS, []),
    ties_reversed_in_evaluation: (ROWS, ROWS),
    query_dropped: (ROWS, ROWS),
    gains_made_binary: (ROWS, ROWS),
}


def test_the_same_code_gives_the_same_facts(checked):
    assert checked("here") == (0, {})


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_fails_on_the_same_class_of_host_and_names_its_rows(checked, monkeypatch, fault):
    fault(monkeypatch)
    code, failed = checked("here")
    assert code == 1
    assert set(failed) == set(FAULTS[fault][0])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_beyond_the_tolerances_fails_on_any_host(checked, monkeypatch, fault):
    fault(monkeypatch)
    code, failed = checked("elsewhere")
    assert set(failed) >= set(FAULTS[fault][1])
    assert code == int(bool(failed))


@pytest.mark.parametrize("host", ["here", "elsewhere"])
def test_vectors_cut_off_one_passage_fail_by_their_number(checked, host):
    code, failed = checked(host, drop=2)
    assert code == 1
    assert "counts" in failed[INDEX]
