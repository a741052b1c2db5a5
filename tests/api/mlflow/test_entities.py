"""Records as the protocol shows them."""

import math

from heptad.api.mlflow.entities import finite, latest_place, shown


def test_values_are_shown_as_text() -> None:
    """Of our own runs also numbers and truth values."""
    assert [shown(value) for value in ("a", 3, 0.5, True)] == ["a", "3", "0.5", "True"]


def test_infinities_are_kept_as_the_largest_number() -> None:
    """NaN stays what it is."""
    assert finite(-math.inf) == -1.7976931348623157e308
    assert math.isnan(finite(math.nan))


def test_the_place_of_the_latest_value() -> None:
    """Step and milliseconds; both 0 where nobody said."""
    assert latest_place("-3 1700000000000") == (-3, 1700000000000)
    assert latest_place(None) == (0, 0)
