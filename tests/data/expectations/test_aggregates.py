"""Expectations of figures: what is told of them, and what cannot be told."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.expectations.conftest import one_of
from tests.data.expectations.naive import quantile

from heptad.core.errors import SettingsError


def test_the_figure_is_told() -> None:
    """With the range that it should lie in."""
    frame = pl.DataFrame({"x": [1.0, 2.0, 6.0]})
    found = one_of(frame, mean={"max": 2})
    assert (found.observed, found.sentence) == (3.0, "x: the mean is 3, not at most 2")
    assert one_of(frame, largest={"min": 1, "max": 5}).sentence == "x: the largest value is 6, not 1 to 5"
    assert one_of(frame, median={"max": 1}).sentence == "x: the median is above 1: 66.7% of the values are"


def test_nan_lies_in_no_range_and_is_recorded_as_text() -> None:
    """JSON has no NaN."""
    found = one_of(pl.DataFrame({"x": [1.0, float("nan")]}), mean={"min": 0})
    assert (found.passed, found.observed) == (False, "nan")


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12),
    st.sampled_from([0.0, 0.1, 0.25, 0.29, 0.5, 0.9, 1.0]),
    st.integers(0, 36),
    st.integers(0, 36),
)
def test_quantiles_are_judged_without_being_computed(values: list[int], share: float, low: int, high: int) -> None:
    """Counting before and beyond a limit says the same as sorting."""
    low, high = sorted((low, high))
    found = one_of(pl.DataFrame({"x": values}), quantiles={str(share): {"min": low / 4, "max": high / 4}})
    exact = quantile(share)(values)
    assert found.passed == (low / 4 <= exact + 1e-9 and exact - 1e-9 <= high / 4)


def test_the_median_of_an_even_number_lies_between_two_values() -> None:
    """As NumPy, Polars and Great Expectations have it."""
    frame = pl.DataFrame({"x": [6, 5]})
    assert one_of(frame, median={"min": 5.2, "max": 5.8}).passed
    assert one_of(frame, median={"min": 5.5, "max": 5.5}).passed
    assert one_of(frame, median={"min": 5.6}).sentence == "x: the median is below 5.6: 50.0% of the values are"
    assert one_of(frame, median={"max": 5.4}).sentence == "x: the median is above 5.4: 50.0% of the values are"
    assert one_of(frame, quantiles={"0.9": {"min": 5.9, "max": 5.9}}).passed


def test_a_quantile_at_a_value_is_that_value() -> None:
    """Though 0.29 of 100 is a little less than 29 to a machine; NaN and infinite numbers have their places, too."""
    frame = pl.DataFrame({"x": [float(x) for x in range(101)]})
    assert one_of(frame, quantiles={"0.29": {"min": 29, "max": 29}, "0.58": {"min": 58, "max": 58}}).passed
    odd = pl.DataFrame({"x": [float("-inf"), 1.0, 2.0, float("nan")]})
    assert one_of(odd, median={"min": 1.5, "max": 1.5}).passed
    assert not one_of(odd, quantiles={"0.9": {"max": 1e300}}).passed
    assert not one_of(odd, quantiles={"0.1": {"min": -1e300}}).passed


@pytest.mark.parametrize(
    ("expected", "why"),
    [
        ({"quantiles": {"2": {"min": 0}}}, "quantiles names '2'"),
        ({"quantiles": {"half": {"min": 0}}}, "quantiles names 'half'"),
        ({"quantiles": {"0.5": {}}}, "quantiles has neither min nor max"),
        ({"mean": {}}, "mean has neither min nor max"),
        ({"mean": {"min": 2, "max": 1}}, "mean goes from 2 to 1"),
    ],
)
def test_ranges_that_say_nothing_are_mistakes(expected: dict[str, object], why: str) -> None:
    """And shares that are none."""
    with pytest.raises(SettingsError, match=why):
        one_of(pl.DataFrame({"x": [1.0]}), **expected)
