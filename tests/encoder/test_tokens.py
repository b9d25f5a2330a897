import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.encoder.tokens import Tokens

ROWS = st.lists(st.lists(st.integers(0, 99), max_size=7), max_size=6)
SHORT = st.lists(st.integers(100, 109), max_size=3)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(rows=ROWS, before=SHORT, after=SHORT, most=st.integers(0, 8))
def test_texts_are_cut_wrapped_and_marked_as_lists_are(rows, before, after, most):
    tokens = Tokens.of(rows)
    assert tokens.lists() == rows
    assert tokens.cut(most).lists() == [row[:most] for row in rows]
    assert tokens.wrapped(before, after).lists() == [[*before, *row, *after] for row in rows]
    assert tokens.inserted(after).lists() == [[*row[:1], *after, *row[1:]] for row in rows]
    assert Tokens.joined([tokens, tokens.cut(most)]).lists() == [*rows, *(row[:most] for row in rows)]
    assert tokens.places().tolist() == [place for row in rows for place in range(len(row))]


def test_chosen_texts_are_padded_on_the_right():
    ids, attention = Tokens.of([[5, 6], [], [7, 8, 9], [1]]).padded(np.array([0, 3, 2]), 99)
    assert ids.tolist() == [[5, 6, 99], [1, 99, 99], [7, 8, 9]]
    assert attention.tolist() == [[1, 1, 0], [1, 0, 0], [1, 1, 1]]
