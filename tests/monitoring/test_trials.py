"""The rows of a trial, and what is counted of them."""

import numpy as np

from heptad.monitoring import TrialRows

ROWS = TrialRows(
    outcomes=np.array([0.0, 1.0, 1.0, 0.0]),
    champion=np.array([0.2, np.nan, 0.7, np.nan]),
    challenger=np.array([0.1, 0.8, 0.9, 0.3]),
)


def test_the_first_rows_are_those_known_first():
    """Cutting keeps the three columns together."""
    first = ROWS.first(2)
    assert len(first) == 2
    assert (first.outcomes.tolist(), first.challenger.tolist()) == ([0.0, 1.0], [0.1, 0.8])


def test_the_smaller_side_counts_what_it_scored():
    """A row that a side did not score does not count for it."""
    assert len(ROWS) == 4
    assert ROWS.smaller_side() == 2
