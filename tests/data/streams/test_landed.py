"""The table of a stream: rows and positions in one commit, columns that grow, files that are put together."""

from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import UnavailableError
from heptad.data.streams import landed as landed_module
from heptad.data.streams.landed import LandedTable

COLUMNS = pl.Schema({"stream_position": pl.Int64()})


@pytest.fixture
def table(tmp_path: Path) -> LandedTable:
    made = LandedTable(tmp_path / "folder" / "t", COLUMNS)
    made.open()
    return made


def reopened(table: LandedTable) -> LandedTable:
    return LandedTable(table.folder, COLUMNS)


def rows(*numbers: int, **more: list[object]) -> pl.DataFrame:
    return pl.DataFrame({"stream_position": list(numbers)} | more)


def test_rows_and_positions_come_in_one_commit(table: LandedTable) -> None:
    """And stay when the table is opened again; a commit may have no rows."""
    assert (table.positions(), table.height()) == ({}, 0)
    before = table.version
    table.commit(rows(1, 2), {0: 2, 3: 7})
    assert table.version == before + 1
    table.commit(rows(), {3: 9})
    found = reopened(table)
    assert found.positions() == {0: 2, 3: 9}
    assert found.height() == 2
    assert found.digest() == table.digest()


def test_a_digest_changes_with_positions_and_tells_tables_apart(table: LandedTable, tmp_path: Path) -> None:
    """Also a table that was made in the place of another."""
    first = table.digest()
    table.commit(rows(1), {0: 1})
    assert table.digest() != first
    other = LandedTable(tmp_path / "other", COLUMNS)
    other.open()
    assert other.digest() != first


def test_columns_are_added_with_what_they_stand_for(table: LandedTable) -> None:
    """A field of an object and a field with a dot in its name make columns that look alike, and are not."""
    fields = {("a",): "integer", ("b", "c"): "text", ("d.e",): "json"}
    table.alter(fields)
    assert reopened(table).fields() == fields
    table.commit(rows(1, a=[1], **{"b.c": ["x"], "d.e": ["[]"]}), {0: 1})
    table.alter({**fields, ("new",): "datetime"})
    assert reopened(table).fields() == {**fields, ("new",): "datetime"}
    found = table.scan().collect()
    assert found.rows() == [(1, 1, "x", "[]", None)]


def test_integers_become_numbers_in_old_rows_too(table: LandedTable) -> None:
    """Positions stay, and so does what is known of the other columns."""
    fields = {("a",): "integer", ("b",): "json"}
    table.alter(fields)
    table.commit(rows(1, 2, a=[1, None], b=["[1]", None]), {0: 2})
    table.alter({**fields, ("a",): "number", ("c",): "text"})
    table.commit(rows(3, a=[2.5], b=[None], c=["x"]), {0: 3})
    found = reopened(table)
    assert found.scan().sort("stream_position").collect()["a"].to_list() == [1.0, None, 2.5]
    assert found.fields() == {("a",): "number", ("b",): "json", ("c",): "text"}
    assert found.positions() == {0: 3}


def test_many_small_files_are_put_together(table: LandedTable, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows and positions are the same, and readers of an earlier version still find it."""
    monkeypatch.setattr(landed_module, "MANY_FILES", 5)
    for number in range(5):
        table.commit(rows(number), {0: number})
    earlier = table.version
    table.commit(rows(5), {0: 5})
    assert len(table.table.file_uris()) == 1
    found = reopened(table)
    assert found.scan().collect()["stream_position"].sort().to_list() == [0, 1, 2, 3, 4, 5]
    assert found.positions() == {0: 5}
    assert found.scan(earlier).collect().height == 5
    table.commit(rows(6), {0: 6})
    assert reopened(table).height() == 7


def test_other_programs_read_the_table(table: LandedTable) -> None:
    """It is a Delta table like any other."""
    table.alter({("a",): "text"})
    table.commit(rows(1, a=["x"]), {0: 1})
    assert pl.read_delta(str(table.folder)).to_dicts() == [{"stream_position": 1, "a": "x"}]


def test_a_table_that_somebody_else_writes_to_is_told(table: LandedTable) -> None:
    """Two writers would land messages twice; trying again, from what is there then, helps."""
    other = reopened(table)
    other.open()
    table.commit(rows(1), {0: 1})
    with pytest.raises(UnavailableError, match="cannot be written"):
        other.commit(rows(1), {0: 1})
    assert reopened(table).height() == 1
