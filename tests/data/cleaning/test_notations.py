"""Numbers as people write them are read as they would read them; the rules are tested in the table of test_kinds."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.settings import Settings
from heptad.data import CleanRule
from heptad.data.cleaning.notations import dates, numbers, units
from heptad.data.cleaning.steps import Given
from heptad.data.records import Fitted


def read(build, values: list[str], rule: Settings) -> list:
    step = build(Given("c", pl.String(), rule, Fitted()))
    return pl.DataFrame({"c": values}).select(step.repair(pl.col("c"))).to_series().to_list()


@given(st.integers(-(10**9), 10**9), st.integers(0, 99))
def test_a_number_is_read_whatever_its_signs(whole: int, cents: int) -> None:
    """With commas or points between thousands, and a currency before or behind."""
    value = pytest.approx(abs(whole) + cents / 100)
    minus = "-" * (whole < 0)
    english = f"{abs(whole):,}.{cents:02}"
    german = english.translate(str.maketrans(",.", ".,"))
    point, comma = CleanRule(numbers="point"), CleanRule(numbers="comma")
    found = read(numbers, [f"{minus}{english}", f"{minus}${english}", f"{minus}{english} USD"], point)
    found += read(numbers, [f"{minus}{german}", f"{minus}{german} €"], comma)
    assert [abs(one) for one in found] == [value] * 5
    assert all(one <= 0 for one in found) if minus else all(one >= 0 for one in found)


def test_what_is_no_number_is_not_read() -> None:
    """Two numbers, words, groups of other than three digits."""
    assert read(numbers, ["1 2", "12,34", "about 5", "-", "", "1.2.3"], CleanRule(numbers="point")) == [None] * 6


def test_units_are_told_by_the_longest_name() -> None:
    """`min` is no `m`, and signs in names are signs."""
    rule = CleanRule(units={"m": 60, "min": 1, "h.": 3600}, unit="min")
    assert read(units, ["2 min", "1m", "1 h.", "1 hx"], rule) == [2.0, 60.0, 3600.0, None]


def test_years_have_four_digits() -> None:
    """What a format reads as the year 7 is another format's."""
    assert read(dates, ["7-01-02"], CleanRule(dates=["%Y-%m-%d"])) == [None]
