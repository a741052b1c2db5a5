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
    st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_quantiles_are_judged_without_being_computed(values: list[int], share: float, low: int, high: int) -> None:
    """Counting below and up to a limit says the same as sorting."""
    low, high = sorted((low, high))
    found = one_of(pl.DataFrame({"x": values}), quantiles={str(share): {"min": low, "max": high}})
    assert found.passed == (low <= quantile(share)(values) <= high)


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
