"""Versions of a Delta table are what was recorded about them, whoever else writes."""

import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from heptad.core.errors import IntegrityError, UnavailableError
from heptad.data.versions import tables
from heptad.data.versions.tables import Table, in_files, scan_table

START = datetime(2020, 1, 1, tzinfo=UTC)


def rows(first: int, last: int, value: float = 0.0) -> pl.LazyFrame:
    numbers = range(first, last)
    return pl.LazyFrame(
        {"_row": numbers, 'at "x"': [START + timedelta(hours=n) for n in numbers], "v": [value] * len(numbers)},
        schema={"_row": pl.Int64, 'at "x"': pl.Datetime("us", "UTC"), "v": pl.Float64},
    )


def numbers(table: Table, version: int) -> list[int]:
    return table.scan(version).collect()["_row"].to_list()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows a file."""
    monkeypatch.setattr(tables, "FILE_BYTES", 3 * 24)
    monkeypatch.setattr(tables, "AT_ONCE", 1)


@pytest.mark.usefixtures("small")
def test_rows_are_appended_replaced_and_overwritten(tmp_path: Path) -> None:
    """Each write is one version, read back in the order written; all of them stay readable."""
    table = Table(tmp_path / "t")
    assert not table.exists()
    first = table.write(rows(0, 5))
    second = table.write(rows(5, 12), first, 5)
    third = table.write(rows(8, 9, value=1.0), second, 8)
    fourth = table.write(rows(3, 4, value=2.0), third, 3)
    fifth = table.write(rows(0, 1).with_columns(new=pl.lit("x")), fourth)
    sixth = table.write(rows(0, 0), fifth)
    made = [numbers(table, version) for version in (first, second, third, fourth, fifth, sixth)]
    assert [len(one) for one in made] == [5, 12, 9, 4, 1, 0]
    assert all(one == list(range(len(one))) for one in made)
    assert table.scan(third).filter(pl.col("v") == 1).collect()["_row"].to_list() == [8]
    assert "new" in table.scan(fifth).collect_schema()


@pytest.mark.usefixtures("small")
def test_whole_files_are_kept(tmp_path: Path) -> None:
    """Rows can stay as far as the files that hold them hold no others; their files are not touched."""
    table = Table(tmp_path / "t")
    first = table.write(rows(0, 8))
    files = set((tmp_path / "t").glob("*.parquet"))
    assert [table.kept(first, same, same) for same in range(9)] == [0, 0, 0, 3, 3, 3, 6, 6, 8]
    second = table.write(rows(6, 7, value=1.0), first, 6)
    assert files < set((tmp_path / "t").glob("*.parquet"))
    assert len(files & {Path(file) for file in DeltaTable(tmp_path / "t", version=second).file_uris()}) == 2


def test_little_that_is_appended_often_leaves_few_files(tmp_path: Path) -> None:
    """Small files are merged with as much as follows them: a row is written again when the table has doubled."""
    table, days = Table(tmp_path / "t"), 64
    version = table.write(rows(0, 1))
    for day in range(1, days):
        kept = table.kept(version, day, day + 1)
        version = table.write(rows(kept, day + 1), version, kept)
        files = DeltaTable(tmp_path / "t", version=version).file_uris()
        assert len(files) <= (day + 1).bit_length()
    assert numbers(table, version) == list(range(days))
    written = sum(
        pl.scan_parquet(file).select(pl.len()).collect().item() for file in (tmp_path / "t").glob("*.parquet")
    )
    assert written <= days * days.bit_length()


@pytest.mark.usefixtures("small")
def test_whole_files_are_not_written_again(tmp_path: Path) -> None:
    """Whatever follows a file that holds as much as one may, it stays."""
    table = Table(tmp_path / "t")
    version = table.write(rows(0, 8))
    assert table.kept(version, 8, 1000) == 6


def test_files_that_another_program_wrote_are_sorted(tmp_path: Path) -> None:
    """Where the order of rows is lost they are read in the order asked for, and none of them can stay in place."""
    table = Table(tmp_path / "t")
    base = table.write(rows(0, 5))
    DeltaTable(tmp_path / "t").delete("_row = 2")
    write_deltalake(tmp_path / "t", rows(2, 3, value=7.0).collect(), mode="append")
    rewritten = DeltaTable(tmp_path / "t").version()
    assert table.scan(rewritten, ["_row"]).collect()["_row"].to_list() == [0, 1, 2, 3, 4]
    assert sorted(numbers(table, rewritten)) == [0, 1, 2, 3, 4]
    assert (table.kept(rewritten, 5, 5), table.kept(base, 5, 5)) == (0, 5)


@pytest.mark.parametrize("partitioned", [False, True])
def test_a_folder_of_any_name_is_read(tmp_path: Path, partitioned: bool) -> None:
    """Nobody has to rename his folders; what others have parted by a column is read where their reader can."""
    folder = tmp_path / ("t" if partitioned else "my project #1 50%?") / "t"
    whole = rows(0, 5).collect()
    write_deltalake(folder, whole.head(3), partition_by=["_row"] if partitioned else None)
    write_deltalake(folder, whole.tail(2), mode="append")
    assert scan_table(folder).sort("_row").collect().equals(whole)
    assert scan_table(folder, 0).sort("_row").collect().equals(whole.head(3))
    assert Table(folder).scan(1, ["_row"]).collect().equals(whole)


def test_other_programs_read_it(tmp_path: Path) -> None:
    """Delta's own library finds the rows, their number and their limits without reading them."""
    table = Table(tmp_path / "t")
    odd = rows(0, 4).with_columns(v=pl.Series([1.5, float("nan"), None, float("inf")]), s=pl.lit("long " * 20))
    version = table.write(odd)
    read = DeltaTable(tmp_path / "t", version=version)
    assert pl.read_delta(str(tmp_path / "t")).equals(odd.collect(), null_equal=True)
    told = pl.DataFrame(read.get_add_actions(flatten=True)).row(0, named=True)
    assert (told["num_records"], told["min._row"], told["max._row"], told["null_count.v"]) == (4, 0, 3, 1)
    assert told['max.at "x"'] == START + timedelta(hours=3)
    assert (told.get("max.v"), told.get("max.s")) == (None, None)


def test_what_was_never_recorded_is_undone(tmp_path: Path) -> None:
    """A commit after the base, left by a killed process, is not built upon."""
    table = Table(tmp_path / "t")
    base = table.write(rows(0, 3))
    table.write(rows(3, 9), base, 3)
    again = table.write(rows(3, 5), base, 3)
    assert numbers(table, again) == [0, 1, 2, 3, 4]


def test_two_writers_never_mix_their_rows(tmp_path: Path) -> None:
    """Each of several threads that build on one base gets a version of its own rows and the base's."""
    folder = tmp_path / "t"
    base = Table(folder).write(rows(0, 2))
    made: dict[int, int] = {}

    def write(start: int) -> None:
        made[start] = Table(folder).write(rows(start, start + 2), base, 2)

    threads = [threading.Thread(target=write, args=(start,)) for start in (10, 20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {start: numbers(Table(folder), version) for start, version in made.items()} == {
        start: [0, 1, start, start + 1] for start in (10, 20, 30)
    }


def test_a_writer_that_never_gets_its_turn_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where others always come first the error may be retried."""
    monkeypatch.setattr(tables, "ATTEMPTS", 2)
    table = Table(tmp_path / "t")
    base = table.write(rows(0, 2))
    reached = tables.boundary

    def interrupted(name: str) -> None:
        if name == "table.before_commit":
            write_deltalake(tmp_path / "t", rows(90, 91).collect(), mode="append")
        reached(name)

    monkeypatch.setattr(tables, "boundary", interrupted)
    with pytest.raises(UnavailableError, match="came first 2 times"):
        table.write(rows(2, 3), base, 2)


@pytest.mark.usefixtures("small")
def test_rows_that_cannot_be_made_leave_no_files(tmp_path: Path) -> None:
    """A query that fails half-way leaves the version before it, and nothing beside it."""
    table = Table(tmp_path / "t")
    base = table.write(rows(0, 5))
    files = set((tmp_path / "t").glob("*"))
    broken = rows(0, 50).with_columns(
        v=pl.when(pl.col("_row") < 40).then(pl.lit("1")).otherwise(pl.lit("x")).cast(float)
    )
    with pytest.raises(pl.exceptions.PolarsError):
        table.write(broken, base)
    assert set((tmp_path / "t").glob("*")) == files
    assert numbers(table, base) == [0, 1, 2, 3, 4]


def test_files_are_of_about_one_size_whatever_is_in_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long texts make files of fewer rows, and slices of larger frames count by their own rows."""
    monkeypatch.setattr(tables, "FILE_BYTES", 10_000)
    monkeypatch.setattr(tables, "AT_ONCE", 10)
    texts = pl.LazyFrame({"a": range(100), "s": ["x" * 484] * 50 + [None] * 50})
    files = list(in_files(texts))
    assert [len(one) for one in files] == [20, 20, 60]
    assert pl.concat(files).equals(texts.collect())
    assert list(in_files(texts.head(0))) == []


def test_a_version_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """A table or version that somebody removed is named."""
    with pytest.raises(IntegrityError, match="Version 0 of the table t"):
        Table(tmp_path / "t").scan(0)
    table = Table(tmp_path / "t")
    table.write(rows(0, 2))
    with pytest.raises(IntegrityError, match="Version 99"):
        table.scan(99)


def test_versions_stay_readable_for_good(tmp_path: Path) -> None:
    """Delta forgets what is older than a month, once there are two checkpoints; versions are kept until pruned."""
    table, base, made = Table(tmp_path / "t"), None, []
    for number in range(205):
        base = table.write(rows(number, number + 1), base, 0)
        made.append(base)
    for commit in (tmp_path / "t" / "_delta_log").iterdir():
        os.utime(commit, (0, 0))
    for number in range(205, 305):
        base = table.write(rows(number, number + 1), base, 0)
    assert numbers(table, made[3]) == [3]
