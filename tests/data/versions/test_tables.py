"""Versions of a Delta table are what was recorded about them, whoever else writes."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import IntegrityError, UnavailableError
from heptad.data.versions import tables
from heptad.data.versions.tables import Table

START = datetime(2020, 1, 1, tzinfo=UTC)


def rows(first: int, last: int, value: float = 0.0) -> pl.DataFrame:
    numbers = range(first, last)
    return pl.DataFrame(
        {"_row": numbers, 'at "x"': [START + timedelta(hours=n) for n in numbers], "v": [value] * len(numbers)},
        schema={"_row": pl.Int64, 'at "x"': pl.Datetime("us", "UTC"), "v": pl.Float64},
    )


def numbers(table: Table, version: int) -> list[int]:
    return table.scan(version).collect()["_row"].sort().to_list()


def test_rows_are_appended_replaced_and_overwritten(tmp_path: Path) -> None:
    """Each write is one version; all of them stay readable."""
    table = Table(tmp_path / "t")
    assert not table.exists()
    first = table.overwrite(rows(0, 5))
    second = table.append(rows(5, 8), first)
    third = table.replace_from("_row", 6, rows(6, 7, value=1.0), second)
    fourth = table.replace_from('at "x"', START + timedelta(hours=3), rows(3, 4, value=2.0), third)
    fifth = table.overwrite(rows(0, 1).with_columns(new=pl.lit("x")), fourth)
    assert [numbers(table, version) for version in (first, second, third, fourth, fifth)] == [
        [0, 1, 2, 3, 4],
        [0, 1, 2, 3, 4, 5, 6, 7],
        [0, 1, 2, 3, 4, 5, 6],
        [0, 1, 2, 3],
        [0],
    ]
    assert table.scan(third).filter(pl.col("v") == 1).collect()["_row"].to_list() == [6]
    assert "new" in table.scan(fifth).collect_schema()


def test_what_was_never_recorded_is_undone(tmp_path: Path) -> None:
    """A commit after the base, left by a killed process, is not built upon."""
    table = Table(tmp_path / "t")
    base = table.overwrite(rows(0, 3))
    table.append(rows(3, 9), base)
    again = table.append(rows(3, 5), base)
    assert numbers(table, again) == [0, 1, 2, 3, 4]


def test_two_writers_never_mix_their_rows(tmp_path: Path) -> None:
    """Each of several threads that build on one base gets a version of its own rows and the base's."""
    folder = tmp_path / "t"
    base = Table(folder).overwrite(rows(0, 2))
    made: dict[int, int] = {}

    def write(start: int) -> None:
        made[start] = Table(folder).append(rows(start, start + 2), base)

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
    base = table.overwrite(rows(0, 2))
    write = tables.write_deltalake

    def interrupted(target: object, frame: pl.DataFrame, **settings: object) -> None:
        write(tmp_path / "t", rows(90, 91), mode="append")
        write(target, frame, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(tables, "write_deltalake", interrupted)
    with pytest.raises(UnavailableError, match="came first 2 times"):
        table.append(rows(2, 3), base)


def test_a_version_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """A table or version that somebody removed is named."""
    with pytest.raises(IntegrityError, match="Version 0 of the table t"):
        Table(tmp_path / "t").scan(0)
    table = Table(tmp_path / "t")
    table.overwrite(rows(0, 2))
    with pytest.raises(IntegrityError, match="Version 99"):
        table.scan(99)
