"""Rates of encoding, scoring and training: each stands beside its bound, on the CPU, with a network of one layer."""

import pytest

from bench.training.rates import TrainSizes, measure

SMALL = TrainSizes(texts=20, repeats=1, layers=1, hidden=32, words=600, steps=2, batch=2, groups=2, pairs=16)


def test_every_rate_stands_beside_the_network_alone():
    encode, tokenize, contrastive, score, teach = rows = measure("cpu", 1, SMALL)
    assert [row.what.split(",")[0] for row in rows] == [
        "encode 20 passages",
        "tokenize in 1 processes",
        "contrastive training",
        "cross-encoder scores 16 pairs",
        "cross-encoder training",
    ]
    assert encode.other == tokenize.other
    assert teach.other == pytest.approx(score.other / 3)
    assert contrastive.beside == teach.beside == "a third of the network alone, forward"
    assert all(row.value > 0 and row.other > 0 and row.unit == "tokens/s" for row in rows)
