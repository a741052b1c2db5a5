"""Which rows to ask a person about."""

import numpy as np

from heptad.data.cleaning.suggesting.asking import rows_to_ask

CLASSES = [np.array([0] * 50 + [1] * 40 + [2] * 10)]
DOUBTS = [np.array([0.0] * 50 + [0.5] * 40 + [0.9] * 10)]


def test_what_is_in_doubt_is_asked_first() -> None:
    """Many cells in doubt before few, each kind once before any twice, sure ones last."""
    rows = rows_to_ask(DOUBTS, CLASSES, 3, 7, [])
    assert [CLASSES[0][row] for row in rows] == [1, 2, 1]


def test_what_is_known_is_not_asked_again() -> None:
    """Known rows cover what they are like."""
    rows = rows_to_ask(DOUBTS, CLASSES, 1, 7, [60])
    assert CLASSES[0][rows[0]] == 2
    assert 60 not in rows_to_ask(DOUBTS, CLASSES, 99, 7, [60])


def test_the_seed_settles_ties() -> None:
    """Equal seeds ask the same rows, others may not; never more rows than there are, none twice."""
    assert rows_to_ask(DOUBTS, CLASSES, 5, 1, []) == rows_to_ask(DOUBTS, CLASSES, 5, 1, [])
    assert rows_to_ask(DOUBTS, CLASSES, 5, 1, []) != rows_to_ask(DOUBTS, CLASSES, 5, 2, [])
    assert sorted(rows_to_ask(DOUBTS, CLASSES, 500, 1, [])) == list(range(100))
