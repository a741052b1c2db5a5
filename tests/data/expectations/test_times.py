"""Expectations of times: zones, ages, stretches without a row."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from tests.data.expectations.conftest import hold, one_of

from heptad.data import Finding


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


def test_hours_may_go_over_midnight() -> None:
    """From 22 to 2 are five hours of the night."""
    frame = pl.DataFrame({"x": [datetime(2026, 1, 9, hour, 30, tzinfo=UTC) for hour in (22, 23, 0, 2)]})
    assert one_of(frame, hours={"min": 22, "max": 2}).passed
    late = pl.concat([frame, pl.DataFrame({"x": [datetime(2026, 1, 9, hour, tzinfo=UTC) for hour in (3, 21)]})])
    assert one_of(late, hours={"min": 22, "max": 2}).failing_rows == 2


def test_stretches_are_on_the_days_that_times_are_on() -> None:
    """A weekend is no gap where `weekdays` says that nothing is expected on it; a Tuesday is."""
    days = ["mon", "tue", "wed", "thu", "fri"]
    frame = pl.DataFrame({"x": [date(2026, 1, day) for day in (1, 2, 5, 6, 7, 8, 9, 12)]})

    def every(frame: pl.DataFrame, span: str = "1d") -> Finding:
        return next(
            one for one in hold(frame, columns={"x": {"every": span, "weekdays": days}}) if one.expectation == "every"
        )

    assert one_of(frame, every="1d").sentence == "x: 4 of 12 stretches of 1d have no row"
    assert every(frame).passed
    gap = frame.filter(pl.col("x") != date(2026, 1, 6))
    assert every(gap).sentence == "x: 1 of 8 stretches of 1d on mon, tue, wed, thu, fri have no row"
    assert every(gap, "7d").passed
    saturday = pl.DataFrame({"x": [date(2026, 1, 10), date(2026, 1, 11)]})
    assert every(pl.concat([gap, saturday])).observed == 1


@given(
    st.sets(st.integers(0, 200), min_size=1),
    st.sets(st.sampled_from(["mon", "wed", "thu", "sat", "sun"]), min_size=1),
    st.sampled_from([6, 8, 12, 24]),
)
def test_stretches_on_days_are_counted_as_a_calendar_has_them(places: set[int], days: set[str], hours: int) -> None:
    """Those from the first to the last that begin on one of the days."""
    start = datetime(1969, 12, 20, tzinfo=UTC)
    moments = [start + timedelta(hours=hours * place) for place in sorted(places)]
    names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    there = [one for one in moments if names[one.weekday()] in days]
    wanted = {"every": f"{hours}h", "weekdays": sorted(days)}
    found = next(one for one in hold(pl.DataFrame({"x": moments}), columns={"x": wanted}) if one.expectation == "every")
    steps = range(int((there[-1] - there[0]) / timedelta(hours=hours)) + 1) if there else range(0)
    every = [there[0] + timedelta(hours=hours * step) for step in steps]
    assert found.observed == sum(names[one.weekday()] in days for one in every) - len(there)
