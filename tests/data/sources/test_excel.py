"""Sheets of books are read by name, and told."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from heptad.core.errors import DataError
from heptad.data import Place, SourceSettings, SourceTable, open_source
from heptad.data.sources import compression

ROWS = pl.DataFrame({"n": [1, 2], "f": [0.5, None], "s": ["x", "é"], "d": [date(2024, 5, 1)] * 2})


def book(path: Path, *sheets: str) -> None:
    with xlsxwriter.Workbook(str(path)) as workbook:
        for place, name in enumerate(sheets):
            ROWS.with_columns(pl.col("n") + place).write_excel(workbook, worksheet=name)


def read(root: Path, uri: str, **settings: object) -> SourceTable:
    return open_source(SourceSettings(uri=uri, **settings), Place(root=root, cache=root / "cache")).read()  # type: ignore[arg-type]


def test_the_only_sheet_is_read(tmp_path: Path) -> None:
    """Typed, under any name of the file."""
    book(tmp_path / "b.xlsx", "May")
    (tmp_path / "b.dat").write_bytes((tmp_path / "b.xlsx").read_bytes())
    for name in ("b.xlsx", "b.dat"):
        table = read(tmp_path, name)
        frame = table.rows.collect()
        assert frame.select("n", "f", "s").equals(ROWS.select("n", "f", "s"))
        assert frame["d"].dt.date().to_list() == ROWS["d"].to_list()
        assert (table.understood["format"], table.understood["sheet"]) == ("excel", "May")


def test_one_of_several_sheets_is_named(tmp_path: Path) -> None:
    """In the address or as a setting."""
    book(tmp_path / "b.xlsx", "May", "June 1")
    assert read(tmp_path, "b.xlsx!June 1").rows.collect()["n"].to_list() == [2, 3]
    assert read(tmp_path, "b.xlsx", sheet="May").rows.collect()["n"].to_list() == [1, 2]
    with pytest.raises(DataError, match="has 2 sheets") as error:
        read(tmp_path, "b.xlsx")
    assert error.value.remedy == 'name one: uri = "b.xlsx!May"'
    with pytest.raises(DataError, match="no sheet 'Juni 1'") as error:
        read(tmp_path, "b.xlsx!Juni 1")
    assert "did you mean 'June 1'?" in error.value.allowed


def test_broken_books_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut short, encrypted, and made to fill a memory."""
    book(tmp_path / "b.xlsx", "May")
    (tmp_path / "cut.xlsx").write_bytes((tmp_path / "b.xlsx").read_bytes()[:-300])
    with pytest.raises(DataError, match=r"cut\.xlsx"):
        read(tmp_path, "cut.xlsx")
    (tmp_path / "secret.xlsx").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(DataError, match="is encrypted"):
        read(tmp_path, "secret.xlsx")
    monkeypatch.setattr(compression, "UNJUDGED_BYTES", 100)
    monkeypatch.setattr(compression, "RATIO", 1)
    with pytest.raises(DataError, match="made to fill a disk"):
        read(tmp_path, "b.xlsx")
