"""Dates as people write them."""

import polars as pl
import pytest

from heptad.data.cleaning.suggesting.dates import PATTERNS, pattern, rewritten

SAME_DAY = [
    "2021-03-17",
    "2021/3/17",
    "3/17/2021",
    "3/17/21",
    "17.3.2021",
    "17/3/2021",
    "17 Mar 2021",
    "March 17, 2021",
]


def test_every_pattern_is_told() -> None:
    """The same day eight times, and what is no date."""
    assert pattern(pl.Series([*SAME_DAY, "2021", "13/45/2021"])).to_list() == [*PATTERNS, None, None]


@pytest.mark.parametrize("text", SAME_DAY[1:])
def test_a_day_is_written_in_another_pattern(text: str) -> None:
    """Whatever it was, it is the same day."""
    assert rewritten(text, "Y-M-D") == "2021-03-17"


@pytest.mark.parametrize("wanted", list(PATTERNS))
def test_every_pattern_can_be_written(wanted: str) -> None:
    """What is written has the pattern that was wanted, or is read as the one before it that means the same."""
    written = rewritten("17 Mar 2021", wanted) or "17 Mar 2021"
    assert pattern(pl.Series([written])).item() == wanted


def test_what_is_no_date_or_so_already_stays() -> None:
    """None says that there is nothing to do."""
    assert rewritten("2021-03-17", "Y-M-D") is None
    assert rewritten("hello", "Y-M-D") is None
    assert rewritten("40 Mar 2021", "Y-M-D") is None
