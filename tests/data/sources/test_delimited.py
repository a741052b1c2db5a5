"""Delimited text becomes cells; nothing is lost or guessed in silence."""

import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.data import SourceSettings
from heptad.data.sources import blocks
from heptad.data.sources.delimited import TextTable, read_delimited


def read(text: str | bytes, **settings: object) -> TextTable:
    data = text.encode() if isinstance(text, str) else text
    return read_delimited(lambda: iter([data]), "f.csv", SourceSettings(uri="f.csv", **settings))  # type: ignore[arg-type]


def test_cells_are_text_and_missing_is_null() -> None:
    """Texts for missing are null, also in quotes; everything else is as written."""
    table = read('a,b\nNA,"x ""y"", z"\n"",01\n')
    assert table.rows.collect().to_dict(as_series=False) == {"a": [None, None], "b": ['x "y", z', "01"]}
    assert read("a,b\nNA,1\nB,2\n", nulls=("B",)).rows.collect()["a"].to_list() == ["NA", None]


def test_blanks_around_cells_are_removed_and_counted() -> None:
    """Padding is told; a cell of nothing but blanks is missing, which is a repair."""
    table = read("a, b, c\n1, x, ?\n2,  , z\n")
    assert table.rows.collect().to_dict(as_series=False) == {"a": ["1", "2"], "b": ["x", None], "c": [None, "z"]}
    assert table.understood["blanks"] == "removed around 4 cells"
    assert [(one.rule, one.column, one.cells) for one in table.repairs] == [("blank", "b", 1)]


def test_how_the_file_was_understood_is_told() -> None:
    """Format, encoding, separator, quote, header, and lines above the table."""
    table = read("A report\na;b\n" + "".join(f"{x},5;x\n" for x in range(9)))
    assert table.understood == {
        "format": "csv",
        "encoding": "utf-8",
        "separator": "semicolon",
        "quote": '"',
        "header": "yes",
        "before the table": "1 line left out",
    }


def test_blank_lines_are_no_rows() -> None:
    """Empty lines at the beginning, in between and at the end are skipped."""
    assert read("\n\na,b\n1,2\n\n3,4\n\n").rows.collect()["a"].to_list() == ["1", "3"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines_of_every_system(end: str) -> None:
    """Unix, Windows and old Macintosh files read alike."""
    assert read(end.join(["a,b", "1,2", "3,4"])).rows.collect().rows() == [("1", "2"), ("3", "4")]


def test_quotes_after_a_backslash_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields keep their places, texts their quotes; records end where they end, in blocks of any size."""
    monkeypatch.setattr(blocks, "BLOCK", 64)
    rows = "".join(f'{x},"5\\" pipe, \\"new\\"\nC:\\\\",{x * 3}\n' for x in range(50))
    table = read("id,comment,amount\n" + rows)
    frame = table.rows.collect()
    assert frame.columns == ["id", "comment", "amount"]
    assert set(frame["comment"]) == {'5" pipe, "new"\nC:\\'}
    assert frame["amount"].to_list() == [f"{x * 3}" for x in range(50)]
    assert table.understood["quotes in quotes"] == "after a backslash"


def test_a_first_column_without_a_name_is_told() -> None:
    """Row names of R, or a comma too many in each row: who reads it can tell."""
    assert read("a,b\nr1,1,2\nr2,3,4\n").understood["first column"] == "without a name in the header, called column_1"


def test_the_header_below_a_title_and_a_blank_line_is_no_row() -> None:
    """Nor is the line in which Excel says the separator."""
    titled = read("Sales report 2024\n\nname,city,y\n" + "".join(f"n{x},c,a\n" for x in range(9)))
    assert titled.rows.collect()["name"].to_list() == [f"n{x}" for x in range(9)]
    declared = read("sep=;\nname;y\n1,5;2\n")
    assert declared.rows.collect().to_dict(as_series=False) == {"name": ["1,5"], "y": ["2"]}
    assert declared.understood["before the table"] == "1 line left out"


def test_quotes_as_characters_lose_no_rows() -> None:
    """Messages with unpaired quotation marks keep every line."""
    rows = [f'ham\t"hello {x}' if x % 3 else f"spam\tbuy {x}" for x in range(50)]
    table = read("\n".join(rows) + "\n")
    assert len(table.rows.collect()) == 50
    assert table.rows.collect()["column_2"][1] == '"hello 1'


def test_short_lines_are_filled_and_counted() -> None:
    """A line with too few fields is read with nulls at its end, and counted."""
    table = read("a,b,c\n1,2,3\n4,5\n6,7,8\n")
    assert table.rows.collect()["c"].to_list() == ["3", None, "8"]
    assert [(one.rule, one.rows) for one in table.repairs] == [("short_line", 1)]


def test_long_lines_are_refused_by_number() -> None:
    """A line with too many fields cannot be placed; the error names it."""
    with pytest.raises(DataError, match="4 fields in line 4, where it has 3 columns"):
        read("a,b,c\n1,2,3\n4,5,6\n1,2,3,4\n7,8,9\n")


def test_a_quote_that_never_closes_is_refused() -> None:
    """Where quotes are quotes, an open one at the end makes the file unreadable."""
    with pytest.raises(DataError, match="cannot be read as a table"):
        read('a,b\n"x, y",1\n"z, w",2\n"open, 3\n4,5\n')


@pytest.mark.parametrize(("text", "problem"), [("", "empty"), ("\n \n", "empty"), ("a,b\n", "a header and no rows")])
def test_files_without_rows_are_refused(text: str, problem: str) -> None:
    """Nothing, blank lines, or a header alone."""
    with pytest.raises(DataError, match=f"f.csv .*{problem}"):
        read(text)


def test_a_header_with_blank_lines_has_no_rows() -> None:
    """Blank lines below a header are no rows either."""
    with pytest.raises(DataError, match="no rows"):
        read("a,b\n,\n,\n")


def test_aligned_columns_are_read() -> None:
    """Fields separated by any number of blanks."""
    table = read("a     b\n" + "".join(f"{x:<6}{x * 2}\n" for x in range(20)))
    assert table.understood["separator"] == "blanks"
    assert table.rows.collect().select(pl.col("b").cast(pl.Int64)).sum().item() == 380
