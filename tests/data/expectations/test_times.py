"""Expectations of times: zones, ages, stretches without a row."""

from datetime import UTC, date, datetime

import polars as pl
from tests.data.expectations.conftest import one_of


def test_other_zones_are_compared_in_utc() -> None:
    """Half past midnight in Berlin is still the day before."""
    berlin = pl.Series("x", [datetime(2026, 1, 9, 23, 30, tzinfo=UTC)]).dt.convert_time_zone("Europe/Berlin")
    frame = pl.DataFrame({"x": berlin})
    assert one_of(frame, weekdays=["fri"]).passed
    assert one_of(frame, hours={"min": 23}).passed
    assert one_of(frame, not_after="2026-01-10T00:30:00+01:00").passed


def test_dates_are_times_at_midnight() -> None:
    """They can be fresh, and have days of the week."""
    frame = pl.DataFrame({"x": [date(2026, 1, 8), date(2026, 1, 10)]})
    assert one_of(frame, fresh="1d").passed
    assert not one_of(frame, fresh="11h").passed
    assert one_of(frame, every="1d").sentence == "x: 1 of 3 stretches of 1d have no row"
    assert one_of(frame, every="7d").passed


def test_a_table_without_times_is_not_fresh() -> None:
    """Nothing came, which is what freshness is about."""
    frame = pl.DataFrame({"x": [None]}, schema={"x": pl.Datetime("us")})
    assert "there is no time up to now" in one_of(frame, fresh="1d").sentence


def test_a_time_of_the_future_makes_nothing_fresh() -> None:
    """One wrong clock would hide that all others are silent."""
    frame = pl.DataFrame({"x": [datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)]})
    assert one_of(frame, fresh="2d").sentence == "x: the newest time is 2026-01-01 00:00 UTC, more than 2d ago"
    assert "no time up to now" in one_of(frame.tail(1), fresh="2d").sentence
