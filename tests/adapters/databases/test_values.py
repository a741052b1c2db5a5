"""Values of drivers become stored types; what becomes text is told."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heptad.adapters.databases.values import Converter
from heptad.data import Dates
from heptad.testing.source_contract import STORED

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAIVE = datetime(2026, 7, 1, 12)  # noqa: DTZ001 - databases have such times


@pytest.mark.parametrize(
    ("value", "kept", "told"),
    [
        (True, True, ""),
        (7, 7, ""),
        (0.5, 0.5, ""),
        ("x", "x", ""),
        (Decimal("1.25"), 1.25, "decimals"),
        (Decimal("2.00"), 2.0, "decimals"),
        (Decimal(900_000_000_000_000_001), 900_000_000_000_000_001, ""),
        (Decimal(2**70), str(2**70), "beyond 64 bits"),
        (MOMENT, MOMENT, ""),
        (MOMENT.astimezone(timezone(timedelta(hours=5))), MOMENT, ""),
        (NAIVE, datetime(2026, 7, 1, 10, tzinfo=UTC), ""),
        (date(2026, 7, 1), datetime(2026, 6, 30, 22, tzinfo=UTC), ""),
        (time(1, 0, 1), 3601.0, "seconds since midnight"),
        (timedelta(minutes=1), 60.0, "seconds"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001", "UUIDs, as text"),
        ({"a": [1]}, '{"a":[1]}', "JSON, as text"),
        ([1, None, 2], "1 2", "blanks between"),
        (b"\x00\xff", "00ff", "hexadecimal"),
        (2**70, str(2**70), "beyond 64 bits"),
    ],
)
def test_each_type_is_kept_in_a_stored_one(value: Any, kept: object, told: str) -> None:
    """With missing values beside it; times without a zone are of the project's."""
    converter = Converter(Dates(timezone="Europe/Berlin"))
    frame = converter.frame(["x"], [(None,), (value,)])
    assert frame.schema["x"] in STORED
    assert frame["x"].to_list() == [None, kept]
    assert told in converter.understood.get("column x", "")
    assert ("x" in converter.as_text) == (isinstance(kept, str) and not isinstance(value, str))


def test_a_column_without_values_gets_the_type_it_had() -> None:
    """Or none yet."""
    assert Converter(Dates()).frame(["x"], [(None,)]).schema["x"] == pl.Null
    assert Converter(Dates(), {"x": pl.Float64()}).frame(["x"], [(None,)]).schema["x"] == pl.Float64
    assert Converter(Dates(), {"x": pl.Float64()}).frame(["x"], [(1,)])["x"].to_list() == [1.0]


def test_times_kept_in_utc_are_told_so() -> None:
    """MySQL gives its TIMESTAMP without a zone."""
    frame = Converter(Dates(timezone="Europe/Berlin")).frame(["a", "b"], [(NAIVE, NAIVE)], frozenset({0}))
    assert frame.row(0) == (NAIVE.replace(tzinfo=UTC), datetime(2026, 7, 1, 10, tzinfo=UTC))


CELLS = st.none() | st.integers() | st.floats() | st.text() | st.booleans() | st.binary() | st.dates()


@given(st.lists(CELLS, min_size=1))
def test_whatever_a_column_mixes_no_value_is_lost(cells: list[Any]) -> None:
    """SQLite holds values of several types in a column: they are all there, missing ones missing."""
    frame = Converter(Dates()).frame(["x"], [(one,) for one in cells])
    assert frame.schema["x"] in {*STORED, pl.Null()}
    assert frame["x"].is_null().to_list() == [one is None for one in cells]
