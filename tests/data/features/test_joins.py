"""Values are joined as they were known at each row's time, never from its future."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError, SettingsError
from heptad.data import FeatureSettings
from heptad.data.features.joins import join_feature

START = datetime(2020, 1, 1, tzinfo=UTC)
EVENTS = st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["a", "b", None])), max_size=25)
TYPES = {"t": pl.Datetime("us", "UTC"), "g": pl.String}


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def rows_of(events: list[tuple[int, str | None]]) -> pl.DataFrame:
    return pl.DataFrame([(at(hour), group) for hour, group in events], schema=TYPES, orient="row")


def values_of(events: list[tuple[int, str | None]]) -> pl.DataFrame:
    return rows_of(events).with_columns(v=pl.int_range(pl.len(), dtype=pl.Int64))


def naive(rows: list, values: list, ttl: int | None, lag: int) -> list[int | None]:
    """The definition, row by row: the newest known value of the group; of one time the last one read."""
    found: list[int | None] = []
    for hour, group in rows:
        known = [
            (when, number)
            for number, (when, other) in enumerate(values)
            if other == group and group is not None and when + lag <= hour
        ]
        newest = max(known, default=None)
        fresh = newest is not None and (ttl is None or hour - newest[0] <= ttl)
        found.append(newest[1] if newest is not None and fresh else None)
    return found


@given(EVENTS, EVENTS, st.none() | st.integers(0, 10), st.integers(0, 5))
def test_joins_agree_with_their_definition(rows: list, values: list, ttl: int | None, lag: int) -> None:
    """In whatever order both sides are, each row keeps its place and gets what was known, and nothing later."""
    feature = FeatureSettings(source="w", on=["g"], columns=["v"], ttl="" if ttl is None else f"{ttl}h", lag=f"{lag}h")
    joined = join_feature(rows_of(rows), values_of(values), "w", feature, time="t", value_time="t")
    assert joined.select("t", "g").equals(rows_of(rows))
    assert joined["v"].to_list() == naive(rows, values, ttl, lag)


def test_without_groups_the_newest_value_counts() -> None:
    """A source without `on` is one series for all rows."""
    feature = FeatureSettings(source="w", on=[], columns=["v"])
    joined = join_feature(
        rows_of([(5, "a")]), values_of([(1, "x"), (4, "y"), (6, "z")]), "w", feature, time="t", value_time="t"
    )
    assert joined["v"].to_list() == [1]


def test_a_source_without_time_is_looked_up() -> None:
    """Rows keep their order; nulls and unknown groups find nothing; keys of other types are compared as text."""
    rows = pl.DataFrame({"g": [2, None, 1, 9]})
    values = pl.DataFrame({"g": ["1", "2", None], "v": [10, 20, 30]})
    feature = FeatureSettings(source="p", on=["g"], columns=["v"])
    joined = join_feature(rows, values, "p", feature, time="", value_time="")
    assert joined.to_dict(as_series=False) == {"g": [2, None, 1, 9], "v": [20, None, 10, None]}


def test_a_name_that_is_taken_gets_the_feature_s_name_before_it() -> None:
    """The rows' own column stays what it was."""
    rows = pl.DataFrame({"g": ["a"], "year": [2013]})
    feature = FeatureSettings(source="p", on=["g"], columns=["year", "g"])
    joined = join_feature(rows, pl.DataFrame({"g": ["a"], "year": [1999]}), "planes", feature, time="", value_time="")
    assert joined.row(0, named=True) == {"g": "a", "year": 2013, "planes_year": 1999, "planes_g": "a"}


def test_a_lookup_that_is_not_unique_is_refused() -> None:
    """Two rows for one group would double rows in silence."""
    feature = FeatureSettings(source="p", on=["g"], columns=["v"])
    values = pl.DataFrame({"g": ["a", "a"], "v": [1, 2]})
    with pytest.raises(DataError, match="not unique in its source: g 'a'"):
        join_feature(pl.DataFrame({"g": ["a"]}), values, "p", feature, time="", value_time="")


@pytest.mark.parametrize(
    ("settings", "time", "value_time", "kind", "problem"),
    [
        ({"on": ["h"], "columns": ["v"]}, "t", "t", DataError, "no column 'h' in the table"),
        ({"on": ["g"], "columns": ["w"]}, "t", "t", DataError, "no column 'w' in the source 'w'"),
        ({"on": ["g"], "columns": ["v"]}, "", "t", SettingsError, "but the table has none"),
        ({"on": ["g"], "columns": ["v"], "ttl": "1h"}, "t", "", SettingsError, "its source has no time"),
        ({"on": [], "columns": ["v"]}, "t", "", SettingsError, "by which columns nowhere"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    settings: dict, time: str, value_time: str, kind: type[Exception], problem: str
) -> None:
    """Columns that are not there, and times that only one side has."""
    with pytest.raises(kind, match=problem):
        join_feature(
            rows_of([(1, "a")]),
            values_of([(1, "a")]),
            "f",
            FeatureSettings(source="w", **settings),
            time=time,
            value_time=value_time,
        )
