"""Reads a table for what it says, letter by letter."""

import sqlite3
import zipfile
from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.data import Place, SourceSettings
from heptad.data.cleaning.suggesting.cells import encode
from heptad.data.cleaning.suggesting.reading import leaves_numbers, read_cells


def read(path: Path) -> pl.DataFrame:
    return read_cells(SourceSettings(uri=path.name), Place(root=path.parent)).frame


def test_nothing_is_tidied(tmp_path: Path) -> None:
    """Blanks, marks for missing, zeros in front and empty cells are as in the file."""
    path = tmp_path / "rows.csv"
    path.write_text('zip,name,ibu\n02134," Bar ",N/A\n1,"a, b",\n,,null\n', encoding="utf-8")
    assert read(path).rows() == [("02134", " Bar ", "N/A"), ("1", "a, b", ""), ("", "", "null")]


def test_other_separators_and_encodings_are_read(tmp_path: Path) -> None:
    """As sources are."""
    path = tmp_path / "rows.csv"
    path.write_bytes("stadt;zahl\nKöln;1,5\nBonn;2\n".encode("cp1252"))
    assert read(path)["stadt"].to_list() == ["Köln", "Bonn"]


def test_typed_files_become_texts(tmp_path: Path) -> None:
    """Parquet and JSON lines, nulls as empty texts."""
    frame = pl.DataFrame({"n": [1, None], "s": ["a", "b"]})
    frame.write_parquet(tmp_path / "rows.parquet")
    frame.write_ndjson(tmp_path / "rows.jsonl")
    for name in ("rows.parquet", "rows.jsonl"):
        assert read(tmp_path / name).rows() == [("1", "a"), ("", "b")]


def test_floating_point_numbers_are_known_as_such(tmp_path: Path) -> None:
    """Where the source says so: in a text file each is as somebody wrote it."""
    frame = pl.DataFrame({"n": [1, 2], "x": [0.5, 2.0]})
    frame.write_parquet(tmp_path / "rows.parquet")
    frame.write_csv(tmp_path / "rows.csv")
    for name, measured in (("rows.parquet", {"x"}), ("rows.csv", set())):
        assert read_cells(SourceSettings(uri=name), Place(root=tmp_path)).measured == measured


@pytest.mark.parametrize("content", [b"", b"\n", b"a,b\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    """Empty, or a header alone; a file that is not there as well."""
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(DataError):
        read(path)
    with pytest.raises(DataError, match="There is no file"):
        read(tmp_path / "none.csv")


def test_what_sources_read_is_read_here_too(tmp_path: Path) -> None:
    """Compressed, in an archive by pattern, and as a JSON document; numbers of documents stay as they are."""
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a.csv", "x,y\n 1,NA\n")
        archive.writestr("b.csv", "x,y\n2 ,2020-01-01\n")
    cells = read_cells(SourceSettings(uri="all.zip/*.csv"), Place(root=tmp_path))
    assert cells.frame.rows() == [(" 1", "NA"), ("2 ", "2020-01-01")]
    (tmp_path / "rows.json").write_text('[{"a": 1, "at": "2020-01-01"}, {"a": 2}]')
    assert read(tmp_path / "rows.json").rows() == [("1", "2020-01-01"), ("2", "")]
    database = sqlite3.connect(tmp_path / "shop.db")
    database.execute("CREATE TABLE orders AS SELECT 1 AS id, '2020-01-01' AS at")
    database.commit()
    database.close()
    orders = SourceSettings(uri="sqlite:///shop.db", table="orders")
    assert read_cells(orders, Place(root=tmp_path)).frame.rows() == [("1", "2020-01-01")]


def test_of_a_large_table_every_so_manieth_row_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its first to its last, as many as memory can judge."""
    rows = 20_000
    pl.select(n=pl.int_range(rows), text=pl.lit("some words")).write_csv(tmp_path / "rows.csv")
    monkeypatch.setenv("POLARS_OOC_MEMORY_BUDGET_MB", "1")
    cells = read_cells(SourceSettings(uri="rows.csv"), Place(root=tmp_path))
    assert cells.rows == rows
    assert cells.every > 1
    assert cells.frame["n"].cast(pl.Int64).to_list() == list(range(0, rows, cells.every))


def test_a_mark_among_numbers_is_missing_once_it_is_read() -> None:
    """Where 95% of the other values are numbers: marks that sources know are none of them."""
    numbers = [str(n) for n in range(97)]
    for texts, read in ((["-"] * 3, True), (["N/A"] * 40, True), (["-"] * 40, False)):
        assert leaves_numbers(encode(pl.Series([*numbers, *texts, ""]))) is read
    assert not leaves_numbers(encode(pl.Series(["a", "b", ""])))
