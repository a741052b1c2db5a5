"""Times are read in the format they are written in, or not at all."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from heptad.data.columns import dates
from heptad.data.columns.dates import to_utc
from heptad.data.columns.dialogues import converse

NEW_YEAR = datetime(2020, 1, 13, tzinfo=UTC)


class Times(msgspec.Struct):
    """What a column of texts was read as, its values made."""

    values: pl.Series
    formats: dict[str, int]
    unread: int
    ambiguous: bool


def read_texts(texts: pl.Series, timezone: str, given: str = "") -> Times | None:
    """The same of a table in memory and of one that is read in parts."""
    frame = texts.cast(pl.String).to_frame("t")
    made = []
    for rows in (frame, frame.lazy()):
        (times,) = converse(rows, [dates.read_texts(pl.col("t"), timezone, given)])
        made.append(
            times and Times(frame.select(times.values).to_series(), times.formats, times.unread, times.ambiguous)
        )
    assert str(made[0]) == str(made[1])
    return made[0]


def read_numbers(numbers: pl.Series) -> tuple[pl.Series, str] | None:
    frame = numbers.to_frame("t")
    (read,) = converse(frame.lazy(), [dates.read_numbers(pl.col("t"))])
    return read and (frame.select(read[0]).to_series(), read[1])


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-01-13", NEW_YEAR),
        ("2020/01/13", NEW_YEAR),
        ("13.01.2020", NEW_YEAR),
        ("01/13/2020", NEW_YEAR),
        ("13/01/2020", NEW_YEAR),
        ("1/13/20", NEW_YEAR),
        ("13 Jan 2020", NEW_YEAR),
        ("Jan 13, 2020", NEW_YEAR),
        ("2020-01-13 05:30", NEW_YEAR.replace(hour=5, minute=30)),
        ("2020-01-13T05:30:15Z", NEW_YEAR.replace(hour=5, minute=30, second=15)),
        ("2020-01-13T05:30:15.25", NEW_YEAR.replace(hour=5, minute=30, second=15, microsecond=250_000)),
        ("2020-01-13T05:30:00+02:00", NEW_YEAR.replace(hour=3, minute=30)),
        ("01/13/2020 05:30 PM", NEW_YEAR.replace(hour=17, minute=30)),
    ],
)
def test_usual_formats_are_recognised(text: str, moment: datetime) -> None:
    """A column in one of the usual formats is read, in UTC, and the format is named."""
    times = read_texts(pl.Series("t", [text, None, text]), "UTC")
    assert times is not None
    assert times.values.to_list() == [moment, None, moment]
    assert (times.unread, times.ambiguous, len(times.formats)) == (0, False, 1)


@pytest.mark.parametrize("text", ["abc", "12.5", "A11", "10.0.0.1 x", "3-4", "7"])
def test_other_texts_are_no_times(text: str) -> None:
    """Names, numbers and codes are not taken for times."""
    assert read_texts(pl.Series("t", [text] * 5), "UTC") is None


def test_a_second_format_is_read_and_counted() -> None:
    """Values that the main format cannot read are read with another one, each counted."""
    times = read_texts(pl.Series("t", ["2020-01-13"] * 5 + ["01/14/2020"]), "UTC")
    assert times is not None
    assert times.formats == {"%Y-%m-%d": 5, "%m/%d/%Y": 1}
    assert times.values[-1] == datetime(2020, 1, 14, tzinfo=UTC)


def test_two_formats_may_share_a_column() -> None:
    """Neither reads most values, both together do; with other texts for a third of them it is no column of times."""
    texts = ["2020-01-13", "01/14/2020"] * 5
    times = read_texts(pl.Series("t", texts), "UTC")
    assert times is not None
    assert times.formats == {"%Y-%m-%d": 5, "%m/%d/%Y": 5}
    assert times.unread == 0
    assert read_texts(pl.Series("t", [*texts, *(["soon"] * 5)]), "UTC") is None


def test_both_orders_of_day_and_month_in_one_column_are_unclear() -> None:
    """Some values can only be read one way and some only the other, so that the rest could be either."""
    times = read_texts(pl.Series("t", ["01/13/2020"] * 5 + ["13/01/2020"] * 5 + ["02/03/2020"]), "UTC")
    assert times is not None
    assert times.ambiguous


def test_what_fits_no_format_is_counted() -> None:
    """A value that is no time is null and counted as unread."""
    times = read_texts(pl.Series("t", ["2020-01-13"] * 9 + ["soon"]), "UTC")
    assert times is not None
    assert times.unread == 1


@pytest.mark.parametrize(
    ("texts", "ambiguous"), [(["01/02/2020"], True), (["01/13/2020"], False), (["02/02/2020"], False)]
)
def test_day_and_month_may_be_ambiguous(texts: list[str], ambiguous: bool) -> None:
    """Where both orders read every value and say different things, that is reported."""
    times = read_texts(pl.Series("t", texts), "UTC")
    assert times is not None
    assert times.ambiguous is ambiguous


def test_a_given_format_settles_it() -> None:
    """With a format from the settings nothing is guessed."""
    times = read_texts(pl.Series("t", ["01/02/2020"]), "UTC", "%d/%m/%Y")
    assert times is not None
    assert times.values.to_list() == [datetime(2020, 2, 1, tzinfo=UTC)]
    assert not times.ambiguous


def test_times_without_a_zone_are_of_the_given_zone() -> None:
    """Local times become UTC, also in an hour that the clock skips; a time with its own zone keeps it."""
    local = read_texts(pl.Series("t", ["2020-07-01 12:00", "2020-03-29 02:30"]), "Europe/Berlin")
    own = read_texts(pl.Series("t", ["2020-07-01 12:00Z"]), "Europe/Berlin")
    assert local is not None
    assert own is not None
    assert local.values.to_list() == [datetime(2020, 7, 1, 10, tzinfo=UTC), datetime(2020, 3, 29, 1, 30, tzinfo=UTC)]
    assert own.values.to_list() == [datetime(2020, 7, 1, 12, tzinfo=UTC)]


@given(
    st.datetimes(datetime.fromisoformat("1980-01-01 00:00"), datetime.fromisoformat("2037-01-01 00:00")),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"]),
)
@example(datetime.fromisoformat("2024-03-31 02:30"), "Europe/Berlin")
@example(datetime.fromisoformat("2024-10-27 02:30"), "Europe/Berlin")
@example(datetime.fromisoformat("2011-12-30 12:00"), "Pacific/Apia")
@example(datetime.fromisoformat("2024-10-06 02:15"), "Australia/Lord_Howe")
def test_every_time_of_a_clock_is_the_moment_that_python_takes_it_for(local: datetime, zone: str) -> None:
    """One that is there twice, and one that is skipped, too: nothing gets lost where clocks change."""
    told = pl.DataFrame({"t": [local]}).select(to_utc(pl.col("t"), pl.Datetime("us"), zone)).item()
    assert told == local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("number", "moment", "unit"),
    [
        (2020, datetime(2020, 1, 1, tzinfo=UTC), "years"),
        (20200113, NEW_YEAR, "days as YYYYMMDD"),
        (1578873600, NEW_YEAR, "Unix time in seconds"),
        (1578873600000, NEW_YEAR, "Unix time in milliseconds"),
        (1578873600000000, NEW_YEAR, "Unix time in microseconds"),
    ],
)
def test_numbers_are_times_by_their_size(number: int, moment: datetime, unit: str) -> None:
    """Years, days as digits, and Unix times are told apart by how large they are."""
    assert read_numbers(pl.Series("t", [number, None])) is not None
    values, understood = read_numbers(pl.Series("t", [number, None])) or (pl.Series(), "")
    assert (values.to_list(), understood) == ([moment, None], unit)


def test_small_numbers_are_no_times() -> None:
    """A count is not a time, and neither is nothing."""
    assert read_numbers(pl.Series("t", [1, 2, 3])) is None
    assert read_numbers(pl.Series("t", [None], dtype=pl.Int64)) is None


def test_dates_become_moments() -> None:
    """Dates and times of any unit and zone become microseconds in UTC."""
    days = pl.Series("t", [datetime(2020, 1, 13, tzinfo=UTC).date()])
    zoned = pl.Series("t", [NEW_YEAR]).dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ms")
    for values in (days, zoned):
        moments = values.to_frame().select(to_utc(pl.col("t"), values.dtype, "UTC")).to_series()
        assert moments.dtype == pl.Datetime("us", "UTC")
        assert moments.to_list() == [NEW_YEAR]
