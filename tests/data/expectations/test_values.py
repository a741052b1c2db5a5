"""Expectations of single values: types, sets and limits of columns of every kind."""

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.expectations.conftest import asked, one_of

from heptad.core.errors import SettingsError


def test_sentences_name_column_count_and_limit() -> None:
    """As a person would say it."""
    frame = pl.DataFrame({"x": [1, 5, 9, None]})
    assert one_of(frame, max=4).sentence == "x: 2 values above 4"
    assert one_of(frame, max=4, mostly=0.5).sentence == "x: 2 values above 4, 66.67% of 3; at most 50.00% may"
    assert one_of(frame, allowed=[1, 5]).sentence == "x: 1 value other than 1, 5"
    assert one_of(frame, missing=0).sentence == "x: missing in 1 row"
    assert one_of(frame, missing=0.1).sentence == "x: more than 10.0% is missing, null in 1 row"
    assert one_of(frame, missing=0.0001).sentence == "x: more than 0.01% is missing, null in 1 row"


@pytest.mark.parametrize(("rows", "null"), [(100, 29), (100, 57), (10, 7), (1000, 11), (7, 3)])
def test_the_limit_itself_may_be_missing(rows: int, null: int) -> None:
    """29 of 100 are 0.29, which a machine takes for a little less; one more is too many."""
    share = null / rows
    for gone, held in ((null, True), (null + 1, False)):
        frame = pl.DataFrame({"x": [None] * gone + [1.0] * (rows - gone)})
        assert one_of(frame, missing=round(share, 12)).passed == held
        assert one_of(frame, empty=True, mostly=round(share, 12)).passed == (gone >= null)


@pytest.mark.parametrize(
    ("kind", "wanted", "held"),
    [
        (pl.Int32, "integer", True),
        (pl.Int32, "number", True),
        (pl.Float32, "integer", False),
        (pl.Categorical, "category", True),
        (pl.String, "text", True),
        (pl.Date, "datetime", True),
        (pl.Boolean, "boolean", True),
        (pl.Boolean, "number", False),
    ],
)
def test_types_of_files_are_those_of_tables(kind: pl.DataType, wanted: str, held: bool) -> None:
    """Whole numbers are numbers, dates are times."""
    assert one_of(pl.DataFrame(schema={"x": kind}), type=wanted).passed == held


def test_categories_and_booleans_have_sets_too() -> None:
    """Whatever they are stored as."""
    frame = pl.DataFrame({"x": ["a", "b"], "f": [True, False]}, schema={"x": pl.Categorical, "f": pl.Boolean})
    assert one_of(frame, allowed=["a"]).failing_rows == 1
    assert one_of(frame, "f", forbidden=[True]).failing_rows == 1


def test_large_whole_numbers_are_compared_exactly() -> None:
    """A float would take 2**53 + 1 for 2**53."""
    frame = pl.DataFrame({"x": [2**53 + 1]})
    assert one_of(frame, max=2**53).failing_rows == 1


LARGE = st.integers(2**53, 2**63 - 1)


@given(LARGE, LARGE)
def test_limits_of_large_whole_numbers_are_those_that_are_written(number: int, limit: int) -> None:
    """Ids of 19 digits among them."""
    frame = pl.DataFrame({"x": [number]}, schema={"x": pl.Int64})
    for near in (limit, number - 1, number, min(number + 1, 2**63 - 1)):
        assert one_of(frame, min=near).passed == (number >= near)
        assert one_of(frame, max=near).passed == (number <= near)
        assert one_of(frame, above=near).passed == (number > near)
        assert one_of(frame, below=near).passed == (number < near)
    assert str(number - 1) in one_of(frame, max=number - 1).sentence


@given(LARGE, st.integers(1, 2**63 - 1))
def test_multiples_of_whole_numbers_are_told_without_floats(number: int, step: int) -> None:
    """However large both are."""
    frame = pl.DataFrame({"x": [number, 0, step]}, schema={"x": pl.Int64})
    assert one_of(frame, multiple_of=step).failing_rows == (number % step != 0)
    assert one_of(frame.select(pl.col("x") % 100).cast(pl.UInt8), multiple_of=1).passed


def test_nan_and_infinity_are_no_multiples() -> None:
    """As they are in no other range."""
    frame = pl.DataFrame({"x": [float("nan"), float("inf"), 4.0]})
    assert one_of(frame, multiple_of=2).failing_rows == 2


def test_order_steps_over_what_is_not_looked_at() -> None:
    """Rows that a condition leaves out are not between two others; the rows that fall back are found."""
    frame = pl.DataFrame({"x": [1, 9, 2, 1], "g": ["a", "b", "a", "a"]})
    (found,), rows = asked(frame, columns={"x": {"order": "increasing", "where": "g == 'a'"}})
    assert (found.failing_rows, found.looked_at) == (1, 2)
    assert rows() == [1]
    assert one_of(frame, order="strictly decreasing").failing_rows == 1


@pytest.mark.parametrize("name", ["whole", "finite", "empty"])
def test_saying_no_expects_nothing(name: str) -> None:
    """`whole = false` does not mean that fractions are wanted; it is refused."""
    with pytest.raises(SettingsError, match=f"{name} = false expects nothing"):
        one_of(pl.DataFrame({"x": [1.0]}), **{name: False})


@given(
    st.lists(st.floats(-1e6, 1e6), max_size=20), st.lists(st.sampled_from([math.nan, math.inf, -math.inf]), min_size=1)
)
def test_numbers_that_are_not_finite_hide_no_far_one(numbers: list[float], others: list[float]) -> None:
    """They are far themselves, and what is far of the rest is what would be far without them."""
    alone = one_of(pl.DataFrame({"x": [*numbers, 1e12]}), deviations=3)
    beside = one_of(pl.DataFrame({"x": [*others, *numbers, 1e12]}), deviations=3)
    assert beside.failing_rows == alone.failing_rows + len(others)


@pytest.mark.parametrize(
    ("kind", "value", "limit"),
    [(pl.UInt64, 2**63 + 5, 2**63), (pl.UInt64, 2**64 - 1, 2**64 - 2), (pl.Int64, 2**53 + 1, 2**53)],
)
def test_limits_of_large_whole_numbers_are_exact(kind: pl.DataType, value: int, limit: int) -> None:
    """A float would hold neither, and be equal to both."""
    frame = pl.DataFrame({"x": pl.Series([value], dtype=kind)})
    assert not one_of(frame, max=limit).passed
    assert one_of(frame, max=value).passed
    assert one_of(frame, above=limit).passed
    assert not one_of(frame, below=value).passed
    assert one_of(frame, min=-1).passed
