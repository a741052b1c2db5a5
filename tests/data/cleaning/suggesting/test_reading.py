"""Reads a table for what it says, letter by letter."""

from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.data.cleaning.suggesting.reading import read_cells


def test_nothing_is_tidied(tmp_path: Path) -> None:
    """Blanks, marks for missing, zeros in front and empty cells are as in the file."""
    path = tmp_path / "rows.csv"
    path.write_text('zip,name,ibu\n02134," Bar ",N/A\n1,"a, b",\n,,null\n', encoding="utf-8")
    assert read_cells(path).rows() == [("02134", " Bar ", "N/A"), ("1", "a, b", ""), ("", "", "null")]


def test_other_separators_and_encodings_are_read(tmp_path: Path) -> None:
    """As sources are."""
    path = tmp_path / "rows.csv"
    path.write_bytes("stadt;zahl\nKöln;1,5\nBonn;2\n".encode("cp1252"))
    assert read_cells(path)["stadt"].to_list() == ["Köln", "Bonn"]


def test_typed_files_become_texts(tmp_path: Path) -> None:
    """Parquet and JSON lines, nulls as empty texts."""
    frame = pl.DataFrame({"n": [1, None], "s": ["a", "b"]})
    frame.write_parquet(tmp_path / "rows.parquet")
    frame.write_ndjson(tmp_path / "rows.jsonl")
    for name in ("rows.parquet", "rows.jsonl"):
        assert read_cells(tmp_path / name).rows() == [("1", "a"), ("", "b")]


@pytest.mark.parametrize("content", [b"", b"\n", b"a,b\n"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    """Empty, or a header alone; a file that is not there as well."""
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    with pytest.raises(DataError):
        read_cells(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_cells(tmp_path / "none.csv")
