"""Clustered rows are the same rows in the same order, and a filter by a column of the cluster reads few of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from heptad.core.errors import DataError, NotFoundError
from heptad.data.versions import clustering, tables
from heptad.data.versions.clustering import RUN, along_curve, in_clusters
from heptad.data.versions.partitioned import POSITION, PartitionedTable, open_table, part_files, runs_of

START = datetime(2026, 1, 1, tzinfo=UTC)
TYPES = {
    "text": pl.String(),
    "number": pl.Float64(),
    "whole": pl.Int64(),
    "flag": pl.Boolean(),
    "at": pl.Datetime("us", "UTC"),
}
ROW = st.tuples(
    st.none() | st.sampled_from(["", "JFK", "ä=b% c"]) | st.text(st.characters(codec="utf-8"), max_size=3),
    st.none() | st.floats(),
    st.none() | st.integers(-(1 << 63), (1 << 63) - 1),
    st.none() | st.booleans(),
    st.none() | st.integers(0, 10).map(lambda days: START + timedelta(days=days)),
)
COLUMNS = st.lists(st.sampled_from(list(TYPES)), min_size=1, max_size=4, unique=True)


def frame(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=TYPES, orient="row")


def opened(folder: Path, cluster: list[str], partition: list[str] | None = None) -> PartitionedTable:
    table = open_table(folder, partition or [], cluster)
    assert isinstance(table, PartitionedTable)
    return table


@settings(max_examples=20)
@given(
    parts=st.lists(st.lists(ROW, min_size=1, max_size=30), min_size=1, max_size=3),
    cut=st.integers(0, 40),
    columns=COLUMNS,
    in_partitions=st.booleans(),
    size=st.sampled_from([60, 400, 1 << 20]),
)
def test_versions_come_back_in_their_order(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[list[tuple[Any, ...]]],
    cut: int,
    columns: list[str],
    in_partitions: bool,
    size: int,
) -> None:
    """Any rows by any columns, whatever stays of the version before; a filter finds what it finds in the rows."""
    folder = tmp_path_factory.mktemp("tables") / "t"
    partition = ["flag"] if in_partitions else []
    columns = [name for name in columns if name not in partition] or ["whole"]
    made: list[tuple[int, pl.DataFrame]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "FILE_BYTES", size)
        patch.setattr(tables, "AT_ONCE", 4)
        for part in parts:
            table, base = opened(folder, columns, partition), made[-1][0] if made else None
            same = min(cut, made[-1][1].height) if made else 0
            rows = pl.concat([made[-1][1].head(same), frame(part)]) if made else frame(part)
            after = table.kept(base, same, rows.height) if base is not None else 0
            assert after == same
            made.append((table.write(rows.slice(after).lazy(), base, after), rows))
    table = opened(folder, [])
    assert (table.partition, table.cluster) == (tuple(partition), tuple(columns))
    for version, rows in made:
        scan = table.scan(version)
        assert scan.collect().equals(rows)
        assert scan.select(pl.len()).collect(engine="streaming").item() == rows.height
        assert scan.head(3).filter(pl.col("flag")).collect().equals(rows.head(3).filter(pl.col("flag")))
        assert scan.filter(pl.col("text") == "JFK").collect().equals(rows.filter(pl.col("text") == "JFK"))


@given(rows=st.lists(ROW, max_size=40), columns=COLUMNS)
def test_the_curve_only_moves_rows(rows: list[tuple[Any, ...]], columns: list[str]) -> None:
    """All of them are there once, and the same rows given in another order lie the same."""
    whole = frame(rows).with_row_index(POSITION).with_columns(pl.col(POSITION).cast(pl.Int64))
    files = list(in_clusters(whole, columns, POSITION))
    assert pl.concat(files or [whole]).sort(POSITION).equals(whole)
    again = in_clusters(whole.reverse(), columns, POSITION)
    assert all(one.equals(other) for one, other in zip(files, again, strict=True))


@given(rows=st.lists(ROW, max_size=40), columns=COLUMNS, bits=st.sampled_from([4, 12, 63]), repeated=st.integers(0, 8))
def test_the_curve_keeps_the_order_of_every_column(
    rows: list[tuple[Any, ...]], columns: list[str], bits: int, repeated: int
) -> None:
    """A row that is before another in some columns and behind it in none is before it; equal rows stay in their order.

    However coordinates are counted, and however many numbers they are woven into.
    """
    whole = frame(rows).with_row_index(POSITION).with_columns(pl.col(POSITION).cast(pl.Int64))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clustering, "_WORD_BITS", bits)
        patch.setattr(clustering, "_REPEATED", repeated)
        along = along_curve(whole, columns)
    # Missing first, and what is no number behind all that are.
    places = whole.select(pl.col(columns).rank("dense").fill_null(0))[along].rows()
    positions = along.tolist()
    for later in range(len(places)):
        for earlier in range(later):
            pairs = list(zip(places[earlier], places[later], strict=True))
            assert any(one < other for one, other in pairs) or (
                places[earlier] == places[later] and positions[earlier] < positions[later]
            )
    if len(columns) == 1:
        assert whole[along].equals(whole.sort(columns[0], POSITION))


def test_a_filter_by_either_column_reads_few_groups_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their statistics; in the order in which they came every group would have to be read."""
    monkeypatch.setattr(tables, "FILE_BYTES", 1 << 20)
    random, count = np.random.default_rng(7), 120_000
    rows = pl.DataFrame(
        {
            "n": np.arange(count),
            "origin": random.choice(["EWR", "JFK", "LGA"], count),
            "carrier": random.choice([f"C{number:02}" for number in range(16)], count),
            "fare": random.normal(size=count),
        }
    )
    table = opened(tmp_path / "t", ["origin", "carrier"])
    version = table.write(rows.lazy())
    plain = open_table(tmp_path / "plain")
    plain_version = plain.write(rows.lazy())
    for column, value, most in (("origin", "JFK", 0.5), ("carrier", "C05", 0.2)):
        touched, groups = _touched(table, version, column, value)
        assert groups > 50
        assert touched <= most * groups
        assert _touched(plain, plain_version, column, value)[0] == _touched(plain, plain_version, column, value)[1]
        wanted = pl.col(column) == value
        assert table.scan(version).filter(wanted).collect(engine="streaming").equals(rows.filter(wanted))
    both = table.scan(version).filter(origin="JFK", carrier="C05").select("n", "fare")
    assert both.collect().equals(rows.filter(origin="JFK", carrier="C05").select("n", "fare"))


def _touched(table: tables.Table, version: int, column: str, value: str) -> tuple[int, int]:
    """Groups of rows whose limits allow a value of a column, and all groups."""
    limits = []
    for path in table.files(version):
        file = parquet.ParquetFile(table.path(path)).metadata
        place = file.schema.names.index(column)
        limits += [file.row_group(group).column(place).statistics for group in range(file.num_row_groups)]
    return sum(one.min <= value <= one.max for one in limits), len(limits)


def test_runs_stay_small_and_little_files_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often a version ends in the middle of the one before, or a few rows are appended."""
    monkeypatch.setattr(tables, "FILE_BYTES", 2000)
    monkeypatch.setattr(tables, "AT_ONCE", 50)
    table = opened(tmp_path / "t", ["a", "b"])
    whole = pl.DataFrame({"a": [one * 37 % 100 for one in range(4000)], "b": [one * 11 % 7 for one in range(4000)]})
    version = table.write(whole.head(300).lazy())
    for end in range(305, 1500, 60):
        assert table.kept(version, end - 55, end + 5) == end - 55
        version = table.write(whole.slice(end - 55, 60).lazy(), version, end - 55)
    files = part_files(table.at(version), ())
    assert max(map(len, runs_of(files))) <= RUN
    assert len(files) < 20
    assert table.scan(version).collect().equals(whole.head(sum(one.rows for one in files)))


def test_a_run_is_cut_into_files_of_about_one_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs follow one another in the order, files of one run by the curve."""
    monkeypatch.setattr(tables, "FILE_BYTES", 1600)
    rows = pl.DataFrame({POSITION: range(1000), "a": [one % 10 for one in range(1000)]})
    files = list(in_clusters(rows, ["a"], POSITION))
    assert pl.concat(files).sort(POSITION).equals(rows)
    assert {one.height for one in files} <= set(range(90, 140))
    assert pl.concat(files[:3])["a"].is_sorted()


def test_other_programs_read_it(tmp_path: Path) -> None:
    """Rows are those of a plain Delta table, which names the columns of the cluster in a property."""
    table = opened(tmp_path / "t", ["a"])
    version = table.write(pl.LazyFrame({"a": [3, 1, None, 2]}))
    assert pl.read_delta(str(tmp_path / "t"), version=version).sort(POSITION)["a"].to_list() == [3, 1, None, 2]
    assert DeltaTable(tmp_path / "t").metadata().configuration[tables.CLUSTER] == '["a"]'
    again = table.write(pl.LazyFrame({"a": [3.5], "b": ["x"]}), version)
    assert opened(tmp_path / "t", []).cluster == ("a",)
    assert table.scan(again).collect().rows() == [(3.5, "x")]


def test_columns_that_make_no_clusters_are_refused(tmp_path: Path) -> None:
    """Unknown, named twice, or of the partition; nothing is left behind."""
    rows = pl.LazyFrame({"_row": [0], "a": [1], "b": ["x"]})
    with pytest.raises(NotFoundError, match="There is no column 'c'") as refused:
        opened(tmp_path / "t", ["c"]).write(rows)
    assert refused.value.allowed == "a, b"
    with pytest.raises(DataError, match="'a' is named twice"):
        opened(tmp_path / "t", ["a", "a"]).write(rows)
    with pytest.raises(DataError, match="'b' is in"):
        opened(tmp_path / "t", ["b"], ["b"]).write(rows)
    assert not (tmp_path / "t").exists()
