"""What a person knows of a few cells."""

from pathlib import Path

import polars as pl
import pytest

from heptad.core.errors import DataError
from heptad.data.cleaning.suggesting.labels import Labels, corrected, read_labels
from heptad.data.cleaning.suggesting.reading import Cells

FRAME = pl.DataFrame({"city": ["Bostn", "Paris", "Rome"], "state": ["MA", "", "RM"]})
CELLS = Cells(FRAME, len(FRAME))


def written(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["row,column,correct value", "row,column,value", "a,b,c", "column,row,clean"])
def test_columns_are_found_by_name_or_order(tmp_path: Path, header: str) -> None:
    """Whatever the third is called; empty means that the cell should be."""
    cells = ("city,0", "state,0") if header.startswith("column") else ("0,city", "0,state")
    known = read_labels(written(tmp_path, f"{header}\n{cells[0]},Boston\n{cells[1]},MA\n"), CELLS)
    assert known.given == {(0, "city"): "Boston", (0, "state"): "MA"}


def test_the_form_that_is_asked_for_is_read_back(tmp_path: Path) -> None:
    """Its fourth column counts, not the value that the table has."""
    known = read_labels(written(tmp_path, "row,column,value,correct\n0,city,Bostn,Boston\n1,state,,\n"), CELLS)
    assert known.given == {(0, "city"): "Boston", (1, "state"): ""}


def test_a_file_of_corrections_alone_says_that_the_rest_of_its_rows_is_right(tmp_path: Path) -> None:
    """Otherwise nothing would be known to be right; a file that names right cells is taken at its word."""
    only = read_labels(written(tmp_path, "row,column,correct\n0,city,Boston\n"), CELLS)
    assert only.given == {(0, "city"): "Boston", (0, "state"): "MA"}
    assert only.rows() == [0]
    some = read_labels(written(tmp_path, "row,column,correct\n0,city,Boston\n1,city,Paris\n"), CELLS)
    assert (0, "state") not in some.given


@pytest.mark.parametrize("line", ["3,city,Rome", "-1,city,x", "x,city,y", "0,town,Boston", ",city,x"])
def test_a_cell_that_is_not_there_is_named_with_its_line(tmp_path: Path, line: str) -> None:
    """Nothing of the file is used."""
    with pytest.raises(DataError, match="line 2"):
        read_labels(written(tmp_path, f"row,column,correct\n{line}\n"), CELLS)


def test_labels_are_read_as_spreadsheets_write_them(tmp_path: Path) -> None:
    """With semicolons, in the encoding of the machine, quoted where a value needs it; blank lines say nothing."""
    path = tmp_path / "labels.csv"
    path.write_text('Row;Column;Value;Correct\r\n0;city;Bostn;"Köln; Rhein"\r\n;;;\r\n', encoding="windows-1252")
    assert read_labels(path, CELLS).given[0, "city"] == "Köln; Rhein"
    with pytest.raises(DataError, match="line 3: it has 2 of 3 cells"):
        read_labels(written(tmp_path, "row,column,correct\n0,city,Rome\n1,city\n"), CELLS)


def test_rows_are_those_of_the_whole_table(tmp_path: Path) -> None:
    """Where only some of them are looked at, what is known of others is refused."""
    cells = Cells(FRAME, rows=25, every=10)
    known = read_labels(written(tmp_path, "row,column,value,correct\n20,city,Rome,Rome\n"), cells)
    assert known.given == {(2, "city"): "Rome"}
    with pytest.raises(DataError, match="row 7 is not looked at"):
        read_labels(written(tmp_path, "row,column,correct\n7,city,Rome\n"), cells)


def test_a_file_that_is_no_table_of_labels_is_refused(tmp_path: Path) -> None:
    """Missing, or with two columns; an empty one knows nothing."""
    with pytest.raises(DataError, match="no file"):
        read_labels(tmp_path / "none.csv", CELLS)
    with pytest.raises(DataError, match="2 columns"):
        read_labels(written(tmp_path, "row,column\n0,city\n"), CELLS)
    with pytest.raises(DataError, match="has 2 columns 'correct'"):
        read_labels(written(tmp_path, "row,column,correct,Correct \n0,city,Rome,Paris\n"), CELLS)
    assert read_labels(written(tmp_path, ""), CELLS) == Labels()


def test_what_is_known_is_put_in() -> None:
    """And nothing else changes."""
    changed = corrected(FRAME, {(0, "city"): "Boston", (1, "state"): "IDF"})
    assert changed.rows() == [("Boston", "MA"), ("Paris", "IDF"), ("Rome", "RM")]
