"""The rows of a trial, and what is counted of them."""

import numpy as np

from heptad.monitoring import TrialRows

ROWS = TrialRows(
    at=np.array([4, 3, 2, 1], dtype="datetime64[us]"),
    known_at=np.array([10.0, 11.0, 12.0, 13.0]),
    outcomes=np.array([0.0, 1.0, 1.0, 0.0]),
    champion=np.array([0.2, np.nan, 0.7, np.nan]),
    challenger=np.array([0.1, 0.8, 0.9, 0.3]),
)


def test_taken_rows_stay_whole():
    """Taking rows keeps their columns together, in the order asked for."""
    taken = ROWS.take(np.array([2, 0]))
    assert len(taken) == 2
    assert taken.at.astype(int).tolist() == [2, 4]
    assert (taken.known_at.tolist(), taken.outcomes.tolist(), taken.challenger.tolist()) == (
        [12.0, 10.0],
        [1.0, 0.0],
        [0.9, 0.1],
    )


def test_the_smaller_side_counts_what_it_scored():
    """A row that a side did not score does not count for it."""
    assert len(ROWS) == 4
    assert ROWS.smaller_side() == 2
