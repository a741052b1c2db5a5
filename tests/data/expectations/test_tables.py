"""Expectations of the table: its columns and how many rows it has."""

from datetime import timedelta

import polars as pl
import pytest
from tests.data.expectations.conftest import NOW, context_of, one_of_table

from heptad.core.errors import SettingsError

FRAME = pl.DataFrame({"a": [1, 2, 3], "b": [1, 1, 1]})


def test_volume_is_a_multiple_of_the_usual() -> None:
    """The median of the five versions before; without one there is nothing that would be usual."""
    context = context_of(FRAME, volumes=[10, 10, 1000, 12, 11, 0, 0])
    found = one_of_table(FRAME, context, volume={"min": 0.5})
    assert found.sentence == "rows as a multiple of the usual 11 is 0.272727, not at least 0.5"
    assert one_of_table(FRAME, volume={"min": 0.5}).passed


def test_a_volume_that_has_grown_says_how_it_may_go_on() -> None:
    """Versions that are refused do not move what is usual."""
    found = one_of_table(FRAME, context_of(FRAME, volumes=[1]), volume={"max": 2})
    assert found.sentence == (
        "rows as a multiple of the usual 1 is 3, not at most 2; a version that is refused does not change what is "
        "usual, so where so many are right, raise max until the versions before have them"
    )


def test_columns_that_differ_are_named() -> None:
    """Those that lack, and those besides."""
    assert one_of_table(FRAME, columns=["a", "c"]).sentence == "the columns are others: lacking c; besides b"
    assert one_of_table(FRAME, columns_in_order=["b", "a"]).sentence == "the columns are a, b, not b, a"


def test_rows_of_needs_sources() -> None:
    """Outside of a project there are none."""
    with pytest.raises(SettingsError, match="there are no sources here"):
        one_of_table(FRAME, rows_of={"source": "x", "min": 1})


def times(*hours_ago: float) -> pl.DataFrame:
    """Rows of so many hours before the moment, a minute apart from the edges of days."""
    return pl.DataFrame({"t": [NOW - timedelta(hours=one, minutes=1) for one in hours_ago]})


def test_the_volume_of_late_rows_is_a_multiple_of_the_stretches_before() -> None:
    """Of those that the table has whole; the versions before say nothing of it."""
    frame = times(*[day * 24 + hour for day in range(1, 5) for hour in range(10)], 5 * 24)
    context = context_of(frame, volumes=[1], time="t")
    wanted = {"volume": {"min": 0.5, "max": 2}, "within": "1d"}
    found = one_of_table(frame, context, **wanted)
    assert found.sentence == (
        "rows since 2026-01-09 12:00 UTC as a multiple of the usual 10 of such a time is 0, not 0.5 to 2"
    )
    assert found.where == "t within 1d"
    assert one_of_table(pl.concat([frame, times(*range(6))]), context, **wanted).passed
    assert not one_of_table(pl.concat([frame, times(*[0.1] * 21)]), context, **wanted).passed
    assert one_of_table(times(*range(9)), context, **wanted).passed


def test_the_volume_of_late_rows_may_be_of_some() -> None:
    """In the stretches before, too."""
    frame = times(1, 1, 25, 25, 49, 49).with_columns(g=pl.Series(["a", "b", "a", "b", "a", "b"]))
    context = context_of(frame, time="t")
    assert one_of_table(frame, context, volume={"min": 1, "max": 1}, within="1d", where="g == 'a'").observed == 1.0
