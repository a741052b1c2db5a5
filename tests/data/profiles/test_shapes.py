"""Shapes of texts and times of moments are told right, and are the same however the rows were split."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from heptad.data.profiles.profile import ColumnProfile, merge, profile_frame
from heptad.data.profiles.shapes import SHAPES, kept_shapes, merged_shapes
from heptad.data.records import Column
from heptad.data.settings import ColumnType

SPLIT = st.lists(st.integers(0, 40), max_size=5)


def profiled(values: list[object], kind: ColumnType, dtype: pl.DataType, split: list[int]) -> ColumnProfile:
    """The profile of a column, made of parts of its rows and merged."""
    columns = [Column(name="c", type=kind)]
    frame = pl.DataFrame({"c": pl.Series(values, dtype=dtype)})
    reference = profile_frame(frame, columns)
    ends = [0, *sorted(min(one, len(values)) for one in split), len(values)]
    parts = [frame[start:end] for start, end in pairwise(ends)]
    return reduce(merge, (profile_frame(part, columns, reference) for part in parts)).columns[0]


@pytest.mark.parametrize("kind", ["text", "category"])
@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("KL-1234", "AA-9999"),
        ("Tom", "Aaa"),
        ("Jonathan McAllister", "Aa… AaAa…"),
        ("1234567890123456", "9999999999999999"),
        ("12345678901234567", "9…"),
        ("Ünal ß ǅ", "Aaaa a a"),
        ("日本 ٣", "aa 9"),
        ("e\u0301", "aa"),
        ("a\tb\n", "a\ta\n"),
        ("🙂7", "🙂9"),
        ("", ""),
        ("." * 40, "." * 40),
        ("." * 41, "…"),
        ("x" * 3_000, "…"),
    ],
)
def test_a_value_has_one_shape(kind: ColumnType, value: str, shape: str) -> None:
    """Letters of any script, digits of any script, and all else as it stands."""
    frame = pl.DataFrame({"c": [value, None, value, "-"]})
    (column,) = profile_frame(frame, [Column(name="c", type=kind)]).columns
    assert column.shapes == {shape: 2, "-": 1}


@given(st.lists(st.none() | st.text("aB7é-", max_size=3), max_size=40), SPLIT)
@pytest.mark.parametrize("kind", ["text", "category"])
def test_any_split_of_the_rows_has_the_same_shapes(
    kind: ColumnType, values: list[str | None], split: list[int]
) -> None:
    """Fewer than 64 different ones are counted to the row."""
    letters = str.maketrans("aéB7", "aaA9")
    wanted = Counter(value.translate(letters) for value in values if value is not None)
    found = profiled(list(values), kind, pl.String(), split).shapes
    assert found is not None
    if len(wanted) <= SHAPES:
        assert list(found.items()) == sorted(wanted.items(), key=lambda one: (-one[1], one[0]))


@given(st.lists(st.dictionaries(st.integers(0, 200).map(str), st.integers(1, 1_000), max_size=150), max_size=8))
@example([{"often": 2} | {f"{part}.{place}": 3 for place in range(SHAPES)} for part in range(8)])
def test_counts_of_many_shapes_are_little_too_small(parts: list[dict[str, int]]) -> None:
    """By no more than 1/65 of the rows, in whatever order they are put together."""
    whole = Counter[str]()
    for part in parts:
        whole.update(part)
    kept = [kept_shapes(part) for part in parts]
    for ordered in (kept, kept[::-1]):
        merged = reduce(lambda one, other: merged_shapes(one, other) or {}, ordered, {})
        assert len(merged) <= SHAPES
        for shape, count in whole.items():
            assert 0 <= count - merged.get(shape, 0) <= whole.total() / (SHAPES + 1)


@pytest.mark.parametrize("kind", [pl.Int64(), pl.Float64()])
def test_numbers_have_no_shapes(kind: pl.DataType) -> None:
    """Neither do those that are categories: nothing is paid for them."""
    for type_ in ("category", "number"):
        assert profiled([1, 2, 3], type_, kind, []).shapes is None


@given(st.lists(st.none() | st.datetimes(), max_size=40), SPLIT)
@example([datetime(1969, 12, 31, 23), datetime(1970, 1, 1), datetime(1900, 2, 28, 0, 0, 1)], [1, 2])  # noqa: DTZ001
def test_any_split_of_the_rows_has_the_same_times(values: list[datetime | None], split: list[int]) -> None:
    """As the calendar tells them, before 1970 too."""
    moments = [value.replace(tzinfo=UTC) for value in values if value is not None]
    found = profiled(list(values), "datetime", pl.Datetime("us"), split).times
    assert found is not None
    assert found.hours == [sum(one.hour == hour for one in moments) for hour in range(24)]
    assert found.weekdays == [sum(one.weekday() == day for one in moments) for day in range(7)]


def test_exact_hours_are_told_to_the_microsecond() -> None:
    """One more or less is no whole hour."""
    midnight, step = datetime(2024, 5, 1, tzinfo=UTC), timedelta(microseconds=1)
    values = [midnight, midnight + step, midnight - step, midnight + timedelta(hours=5)]
    found = profiled(list(values), "datetime", pl.Datetime("us", "UTC"), []).times
    assert found is not None
    assert (found.whole_hours, found.midnights) == (2, 1)
