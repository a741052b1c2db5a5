"""What has landed is read commit by commit, as its source reads it."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from heptad.core.errors import DataError, RefusedError
from heptad.data.columns.column_types import Dates
from heptad.data.streams.decoding import JsonDecoder
from heptad.data.streams.landed_rows import LandedRows
from heptad.data.streams.landing import Landing
from heptad.data.streams.stream import Batch


def landed(folder: Path, *batches: Sequence[dict[str, Any]]) -> Landing:
    landing, position = Landing(folder, JsonDecoder), 0
    for rows in batches:
        zeros, places = [0] * len(rows), list(range(position, position + len(rows)))
        position += len(rows)
        payloads = [json.dumps(row).encode() for row in rows]
        landing.land(Batch(payloads=payloads, keys=[None] * len(rows), times=zeros, partitions=zeros, positions=places))
    return landing


def test_rows_come_by_commit_in_the_types_of_their_source(tmp_path: Path) -> None:
    """Texts are times in the format of the column as a whole: a few of them could be read otherwise."""
    many = [{"n": one, "when": f"{one}/01/2026 10:00"} for one in range(1, 29)]
    landed(tmp_path / "t", many, [{"n": 99, "when": "03/02/2026 10:00"}])
    rows = LandedRows(tmp_path / "t", "when", Dates())
    newest = rows.refresh()
    (first, _), (second, count) = rows.counts(-1)
    assert (second, count) == (newest, 1)
    assert rows.counts(first) == [(second, 1)]
    found = rows.rows({"n": "integer", "when": "datetime"}, first, second).collect()
    expected = {"n": 99, "when": datetime(2026, 2, 3, 10, tzinfo=UTC), "stream_time": datetime(1970, 1, 1, tzinfo=UTC)}
    assert found.to_dicts() == [expected]
    assert rows.rows({"n": "integer"}, -1, second).collect().height == 29
    assert rows.id


def test_a_table_that_is_not_there_has_no_commits(tmp_path: Path) -> None:
    """Nothing is made by asking."""
    assert LandedRows(tmp_path / "t", "", Dates()).refresh() == -1
    assert not (tmp_path / "t").exists()


def test_people_who_were_erased_stay_out(tmp_path: Path) -> None:
    """Before columns are chosen: those that name them need not be among these."""
    landed(tmp_path / "t", [{"n": 1, "name": "Ann"}, {"n": 2, "name": "Bob"}])
    rows = LandedRows(tmp_path / "t", "", Dates(), lambda some: some.filter(pl.col("name") != "Ann"))
    assert rows.rows({"n": "integer"}, -1, rows.refresh()).collect()["n"].to_list() == [2]


def test_a_column_of_another_type_is_refused(tmp_path: Path) -> None:
    """What a feature was applied for would not be what it is made of."""
    landed(tmp_path / "t", [{"n": 1}], [{"n": 1.5}])
    rows = LandedRows(tmp_path / "t", "", Dates())
    with pytest.raises(RefusedError, match="'n' of what has landed is Float64, and was integer"):
        rows.rows({"n": "integer"}, -1, rows.refresh())
    with pytest.raises(RefusedError, match="'m' of what has landed is gone"):
        rows.rows({"m": "integer"}, -1, rows.refresh())


def test_a_time_that_cannot_be_read_is_missing(tmp_path: Path) -> None:
    """It holds nobody up; one that is written otherwise, but unmistakably, is read."""
    good = [{"t": f"2026-01-{one:02}T10:00:00Z", "u": f"2026-01-{one:02}T10:00:00Z"} for one in range(1, 29)]
    landed(
        tmp_path / "t", good, [{"t": "2026-01-01T10:00:00Z", "u": "soon"}, {"t": "late", "u": None}, {"t": "2.1.2026"}]
    )
    rows = LandedRows(tmp_path / "t", "t", Dates())
    newest = rows.refresh()
    (first, _), _ = rows.counts(-1)
    others = rows.rows({"u": "datetime"}, first, newest).collect()["u"]
    assert others.to_list() == [None, None, None]
    own = rows.rows({"t": "datetime"}, first, newest).collect()["t"]
    assert own.to_list() == [datetime(2026, 1, 1, 10, tzinfo=UTC), None, datetime(2026, 1, 2, tzinfo=UTC)]


def test_times_of_which_none_can_be_read_are_told(tmp_path: Path) -> None:
    """Not a message is wrong then, but what is known of all of them."""
    landed(tmp_path / "t", [{"t": "in the morning"}, {"t": "at noon"}])
    rows = LandedRows(tmp_path / "t", "t", Dates())
    newest = rows.refresh()
    with pytest.raises(DataError, match="t = 'in the morning' cannot be read as a time"):
        rows.rows({"t": "datetime"}, -1, newest).collect()
    given = LandedRows(tmp_path / "t", "t", Dates(format="%Y/%m/%d"))
    given.refresh()
    with pytest.raises(DataError, match="dates"):
        given.rows({"t": "datetime"}, -1, newest).collect()


def test_days_and_months_that_cannot_be_told_apart_are_told(tmp_path: Path) -> None:
    """Settings say which is which."""
    landed(tmp_path / "t", [{"t": "03/02/2026 10:00"}])
    rows = LandedRows(tmp_path / "t", "t", Dates())
    newest = rows.refresh()
    with pytest.raises(DataError, match="day before month"):
        rows.rows({"t": "datetime"}, -1, newest).collect()
    given = LandedRows(tmp_path / "t", "t", Dates(format="%m/%d/%Y %H:%M"))
    assert given.rows({"t": "datetime"}, -1, given.refresh()).collect()["t"].to_list() == [
        datetime(2026, 3, 2, 10, tzinfo=UTC)
    ]


def test_numbers_are_times_too(tmp_path: Path) -> None:
    """Unix time, in the unit that its size tells."""
    landed(tmp_path / "t", [{"t": 1_767_225_600}])
    rows = LandedRows(tmp_path / "t", "t", Dates())
    found = rows.rows({"t": "datetime"}, -1, rows.refresh()).collect()
    assert found["t"].to_list() == [datetime(2026, 1, 1, tzinfo=UTC)]
