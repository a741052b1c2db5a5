"""Profiles count what is in a table, and can be put together from parts."""

import math
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.core.errors import DataError
from heptad.data import Column, ColumnProfile, Profile, merge, profile_frame

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS = [
    Column(name="number", type="number"),
    Column(name="category", type="category"),
    Column(name="flag", type="boolean"),
    Column(name="text", type="text"),
    Column(name="time", type="datetime"),
]
ROWS = st.lists(
    st.tuples(
        st.none() | st.floats(-1e6, 1e6),
        st.none() | st.sampled_from("abcdef"),
        st.none() | st.booleans(),
        st.none() | st.text("xyz", max_size=30),
        st.none() | st.integers(-500_000, 500_000).map(lambda hours: EPOCH + timedelta(hours=hours)),
    ),
    max_size=60,
)


def frame_of(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    types = {"number": pl.Float64, "category": pl.String, "flag": pl.Boolean, "text": pl.String}
    types["time"] = pl.Datetime("us", "UTC")
    return pl.DataFrame(rows, schema=types, orient="row")


def assert_alike(first: ColumnProfile, second: ColumnProfile) -> None:
    for field in msgspec.structs.fields(ColumnProfile):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if field.name in {"mean", "squares"} and one is not None:
            assert one == pytest.approx(other, rel=1e-6, abs=1e-3)
        elif field.name == "points":
            # Of few rows each value is a point more than once; tests of the sketches hold them to many.
            assert bool(one) == bool(other)
        elif field.name == "counted":
            assert one is None  # what two parts have in common is not known
        else:
            assert one == other, field.name


@given(ROWS, ROWS)
def test_merged_profiles_are_the_profile_of_all_rows(first: list, second: list) -> None:
    """With one reference, merging the profiles of two parts gives the profile of both together."""
    whole = frame_of(first + second)
    reference = profile_frame(whole, COLUMNS)
    parts = merge(
        profile_frame(frame_of(first), COLUMNS, reference), profile_frame(frame_of(second), COLUMNS, reference)
    )
    for one, other in zip(parts.columns, profile_frame(whole, COLUMNS, reference).columns, strict=True):
        assert_alike(one, other)


@given(ROWS)
def test_every_row_is_counted_once(rows: list) -> None:
    """The counts of a column and its missing values together are the rows."""
    for column in profile_frame(frame_of(rows), COLUMNS).columns:
        assert sum(column.counts) + column.missing == column.rows == len(rows)
        assert len(column.labels()) == len(column.counts)


def test_moments_are_those_of_the_values() -> None:
    """Mean, deviation, least and greatest value leave out what is missing, infinite or not a number."""
    values = [1.0, 2.0, 4.0, None, math.inf, math.nan]
    (column,) = profile_frame(pl.DataFrame({"x": values}), [Column(name="x", type="number")]).columns
    assert (column.mean, column.min, column.max, column.missing) == (pytest.approx(7 / 3), 1.0, 4.0, 3)
    assert column.deviation == pytest.approx(np.std([1, 2, 4]))


def test_a_value_that_many_rows_share_has_its_own_bin() -> None:
    """Where most rows are zero, the bin below counts what is less than zero and no zeros."""
    frame = pl.DataFrame({"rain": [0.0] * 90 + [float(x) for x in range(1, 11)]})
    columns = [Column(name="rain", type="number")]
    reference = profile_frame(frame, columns)
    (column,) = profile_frame(pl.DataFrame({"rain": [-1.0, 0.0, 0.0, 5.0]}), columns, reference).columns
    assert column.counts[:2] == [1, 2]


def test_values_beyond_the_reference_are_counted_together() -> None:
    """A category that the reference does not name goes to the last count."""
    columns = [Column(name="c", type="category")]
    reference = profile_frame(pl.DataFrame({"c": ["a", "a", "b"]}), columns)
    (column,) = profile_frame(pl.DataFrame({"c": ["a", "z", "y", None]}), columns, reference).columns
    assert (column.values, column.counts, column.missing) == (["a", "b"], [1, 0, 2], 1)


def test_times_are_measured_in_seconds() -> None:
    """Times are profiled as seconds since 1970, whether they are kept as times or as ISO text."""
    moments = pl.Series("t", ["2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"])
    columns = [Column(name="t", type="datetime")]
    kept = moments.str.to_datetime(time_zone="UTC")
    for series in (moments, kept):
        assert profile_frame(pl.DataFrame([series]), columns).columns[0].min == 1577836800.0


def test_a_column_that_is_not_there_is_missing_everywhere() -> None:
    """A frame without a profiled column counts it as missing in every row."""
    (column,) = profile_frame(pl.DataFrame({"a": [1, 2]}), [Column(name="b", type="number")]).columns
    assert (column.missing, column.rows, column.mean) == (2, 2, None)


def test_profiles_with_other_bins_are_not_merged() -> None:
    """Profiles made without a common reference are refused, since their counts mean different things."""
    columns = [Column(name="x", type="number")]
    first = profile_frame(pl.DataFrame({"x": [1.0, 2.0, 3.0]}), columns)
    second = profile_frame(pl.DataFrame({"x": [10.0, 20.0, 30.0]}), columns)
    with pytest.raises(DataError, match="other bins"):
        merge(first, second)
    with pytest.raises(DataError, match="different columns"):
        merge(first, profile_frame(pl.DataFrame({"y": [1.0]}), [Column(name="y", type="number")]))


def test_a_profile_survives_json() -> None:
    """A profile is stored as JSON and comes back equal."""
    profile = profile_frame(frame_of([(1.5, "a", True, "xyz", None), (None,) * 5]), COLUMNS)
    assert msgspec.json.decode(msgspec.json.encode(profile), type=Profile) == profile
    assert profile.column("flag") == profile.columns[2]
    assert profile.column("nothing") is None


def test_registers_of_other_hashes_are_no_longer_known() -> None:
    """Another version of what hashes may hash otherwise; the rest is merged all the same."""
    profile = profile_frame(frame_of([(1.0, "a", True, "xyz", None)] * 3), COLUMNS)
    older = msgspec.structs.replace(profile, hashed_by="polars 0.1")
    assert [one.distinct for one in merge(profile, profile).columns] == [1, 1, 1, 1, 0]
    assert [one.distinct for one in merge(profile, older).columns] == [None, None, 1, None, None]
    assert merge(profile, older).rows == 6


def test_profiles_of_before_shapes_are_read() -> None:
    """What they do not know stays unknown, also where one is merged with another that does."""
    profile = profile_frame(frame_of([(1.0, "a", True, "xyz", None)] * 3), COLUMNS)
    plain = msgspec.json.decode(msgspec.json.encode(profile))
    for column in plain["columns"]:
        del column["shapes"], column["times"]
    older = msgspec.convert(plain, Profile)
    assert [column.shapes for column in profile.columns] == [None, {"a": 3}, None, {"aaa": 3}, None]
    merged = merge(older, profile)
    assert merged.rows == 6
    assert all((column.shapes, column.times) == (None, None) for column in (*older.columns, *merged.columns))


@pytest.mark.parametrize("kind", ["category", "text"])
@pytest.mark.parametrize("name", ["n", "rows", "count", "shape", "hash"])
def test_columns_may_have_any_name(name: str, kind: str) -> None:
    """Those of the counting too."""
    profile = profile_frame(pl.DataFrame({name: ["a1", "b2", "a1", None]}), [Column(name=name, type=kind)])
    (column,) = profile.columns
    assert (column.rows, column.missing, column.distinct, column.shapes) == (4, 1, 2, {"a9": 3})
