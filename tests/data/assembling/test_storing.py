"""Only what is new or different is written."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heptad.data import Column, DatasetVersion, Schema
from heptad.data.assembling.storing import canonical_order, store_rows
from heptad.data.versions import digests, tables
from heptad.data.versions.digests import block_digests
from heptad.data.versions.tables import Table

START = datetime(2020, 1, 1, tzinfo=UTC)
BY_TIME = Schema(
    columns=[
        Column(name="k", type="integer", role="key"),
        Column(name="t", type="datetime", role="time"),
        Column(name="y", type="number", role="target"),
    ],
    task="regression",
)
BY_KEY = Schema(columns=[BY_TIME.columns[0], BY_TIME.columns[2]], task="regression")
BY_ROW = Schema(columns=[Column(name="_row", type="integer", role="key"), BY_TIME.columns[2]], task="regression")
ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), max_size=12)


def frame_of(rows: list[tuple[int, int]], schema: Schema) -> pl.DataFrame:
    frame = pl.DataFrame({"y": [float(value) for _, value in rows]}, schema={"y": pl.Float64})
    if schema is BY_ROW:
        return frame.with_row_index("_row").cast({"_row": pl.Int64})
    frame = frame.with_row_index("k").cast({"k": pl.Int64})
    if schema is BY_TIME:
        times = pl.Series("t", [START + timedelta(days=day) for day, _ in rows], dtype=pl.Datetime("us", "UTC"))
        frame = frame.with_columns(times)
    return frame.sort(canonical_order(schema))


def store(table: Table, frame: pl.DataFrame, latest: DatasetVersion | None) -> int:
    return store_rows(table, frame.lazy(), len(frame), block_digests(frame.lazy()), latest)


def recorded(frame: pl.DataFrame, schema: Schema, delta_version: int) -> DatasetVersion:
    return DatasetVersion(
        name="t",
        version=1,
        table="t",
        delta_version=delta_version,
        rows=len(frame),
        labelled=0,
        digest="",
        blocks=block_digests(frame.lazy()),
        schema=schema,
        until=START,
        profile="",
    )


@settings(max_examples=25, deadline=None)
@given(ROWS, ROWS, st.sampled_from([BY_TIME, BY_KEY, BY_ROW]), st.booleans())
def test_whatever_was_there_the_new_rows_are_what_is_read(
    tmp_path_factory: object, before: list, after: list, schema: Schema, grow: bool
) -> None:
    """Rows added, changed and removed anywhere: the version that comes out holds exactly the new rows."""
    folder: Path = tmp_path_factory.mktemp("table")  # type: ignore[attr-defined]
    old, new = frame_of(before, schema), frame_of(before + after if grow else after, schema)
    before_this = digests.BLOCK, tables.FILE_BYTES, tables.AT_ONCE
    digests.BLOCK, tables.FILE_BYTES, tables.AT_ONCE = 3, 4 * 24, 1
    try:
        table = Table(folder)
        first = store(table, old, None)
        second = store(table, new, recorded(old, schema, first))
    finally:
        digests.BLOCK, tables.FILE_BYTES, tables.AT_ONCE = before_this
    assert table.scan(second).collect().equals(new)
    assert (second == first) == old.equals(new)


def test_equal_rows_commit_nothing_and_new_ones_are_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of rows that stay are not touched."""
    monkeypatch.setattr(digests, "BLOCK", 5)
    table, frame = Table(tmp_path / "t"), frame_of([(day, 0) for day in range(5)], BY_TIME)
    first = store(table, frame, None)
    version = recorded(frame, BY_TIME, first)
    assert store(table, frame, version) == first
    files = set((tmp_path / "t").glob("*.parquet"))
    longer = frame_of([(day, 0) for day in range(9)], BY_TIME)
    second = store(table, longer, version)
    assert len(table.scan(second).collect()) == 9
    assert files < set((tmp_path / "t").glob("*.parquet"))
    assert table.kept(second, 5, 9) == 5
