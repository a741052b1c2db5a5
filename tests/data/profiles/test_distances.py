"""The population stability index says how far a column has moved, and where."""

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data import Column, ColumnProfile, column_distances, distance, largest_shift, profile_frame

COUNTS = st.lists(st.integers(0, 1000), min_size=4, max_size=4)


def with_counts(counts: list[int], missing: int = 0) -> ColumnProfile:
    return ColumnProfile(
        name="c",
        type="category",
        rows=sum(counts) + missing,
        missing=missing,
        values=["a", "b", "c"],
        counts=counts,
    )


@given(COUNTS, COUNTS, st.integers(0, 50), st.integers(0, 50))
def test_distances_are_never_negative_and_symmetric(first: list[int], second: list[int], n: int, m: int) -> None:
    """Whatever the counts, PSI is at least 0 and the same both ways."""
    one, other = with_counts(first, n), with_counts(second, m)
    assert distance(one, other) >= 0
    assert distance(one, other) == pytest.approx(distance(other, one))
    assert distance(one, one) == 0


def test_distance_follows_the_formula() -> None:
    """PSI is the sum of (q - p) ln(q / p) over smoothed shares, empty bins on both sides left out."""
    p = [(100 + 0.5) / 201, (100 + 0.5) / 201]
    q = [(150 + 0.5) / 201, (50 + 0.5) / 201]
    expected = sum((b - a) * math.log(b / a) for a, b in zip(p, q, strict=True))
    assert distance(with_counts([100, 100, 0, 0]), with_counts([150, 50, 0, 0])) == pytest.approx(expected)


def test_missing_values_count_as_a_bin() -> None:
    """A column whose values go missing has moved, though those that are there have not."""
    assert distance(with_counts([100, 100, 0, 0]), with_counts([50, 50, 0, 0], missing=100)) > 0.5


def test_nothing_is_far_from_nothing() -> None:
    """Without rows on one side there is nothing to compare."""
    assert distance(with_counts([0, 0, 0, 0]), with_counts([5, 0, 0, 0])) == 0


def test_other_bins_are_refused() -> None:
    """Profiles without a common reference are not compared."""
    columns = [Column(name="x", type="number")]
    one, other = (profile_frame(pl.DataFrame({"x": values}), columns).columns[0] for values in ([1.0, 2], [5.0, 9]))
    with pytest.raises(DataError, match="other bins"):
        distance(one, other)


def test_the_largest_shift_names_the_bin_that_moved() -> None:
    """The reason in words: which bin, its share before and now."""
    label, before, now = largest_shift(with_counts([80, 20, 0, 0]), with_counts([80, 0, 0, 20]))
    assert label in {"b", "other values"}
    assert {before, now} == {0.2, 0.0}


def test_distances_are_of_columns_that_both_have() -> None:
    """A column that one profile lacks has no distance."""
    frame = pl.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    reference = profile_frame(frame, [Column(name="a", type="number")])
    both = profile_frame(frame, [Column(name="a", type="number"), Column(name="b", type="category")], reference)
    assert column_distances(reference, both) == {"a": 0.0}
