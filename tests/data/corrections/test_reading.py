"""A file of corrections is held against the version before anything is kept."""

import csv
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.data.conftest import Open
from tests.data.corrections.conftest import ROWS

from heptad.core.errors import DataError
from heptad.data import Data, DataSettings
from heptad.data.corrections.reading import COLUMNS, _read, read_corrections


def read(data: Data, path: Path, **more: object) -> object:
    version = data.version("latest")
    return read_corrections(path, version.body, data.scan(version), data.corrections.cells(), **more)  # type: ignore[arg-type]


def test_cells_are_read_with_what_they_were(data: Data, file: Callable[..., Path]) -> None:
    """In the text that a version writes; lines without a value stay open, lines that change nothing are counted."""
    path = file(
        "r01,y,cat,seen", "r02,x,7,typed", "r03,n,4,", "r04,flag,TRUE,x", "r05,y,,", "r06,y,cat,same", "r01,y,cat,twice"
    )
    found = read(data, path, reason="looked at")
    assert found.cells.rows() == [  # type: ignore[attr-defined]
        ("r01", "y", "dog", "cat", "seen"),
        ("r02", "x", "2.0", "7.0", "typed"),
        ("r03", "n", "3", "4", "looked at"),
        ("r04", "flag", "false", "true", "x"),
    ]
    assert (found.unchanged, found.left_open) == (1, 1)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("written", "value"),
    [("3,5", "3.5"), ("-12,25", "-12.25"), ("0,125", "0.125"), ("1234,567", "1234.567"), ("1,2345", "1.2345")],
)
def test_a_comma_is_for_decimals_where_it_cannot_stand_between_thousands(
    data: Data, file: Callable[..., Path], written: str, value: str
) -> None:
    found = read(data, file(f'r01,x,"{written}",typed'))
    assert found.cells["value"].to_list() == [value]  # type: ignore[attr-defined]


def test_of_a_comma_that_may_stand_between_thousands_both_readings_are_said(
    data: Data, file: Callable[..., Path]
) -> None:
    with pytest.raises(DataError) as raised:
        read(data, file("r01;x;1,234;typed", head="k;column;value;reason"))
    assert "of 1,234 write 1.234 or 1234" in str(raised.value)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["r99,y,cat,a b"], "line 2: names no row of the version: 'k=r99'"),
        (['r01,x,"1,234",a b'], "line 2: the value is no number that x could hold: '1,234'"),
        (['r01,x,"1,2,3",a b', 'r01,n,"3,5",a b'], "line 2: the value is no number that x could hold: '1,2,3'"),
        (['r01,n,"3,5",a b'], "line 2: the value is no integer that n could hold: '3,5'"),
        (["r01,flag,WAHR,a b"], "no boolean that flag could hold: 'WAHR'"),
        (["r01,z,cat,a b"], "'z' is no column"),
        (["r01,k,r02,a b"], "cannot be corrected"),
        (["r01,n,many,a b"], "no integer that n could hold: 'many'"),
        (["r01,x,inf,a b", "r02,x,NaN,a b"], "line 2, 3: the value is no number that x could hold: 'inf', 'NaN'"),
        (["r01,x,-1e999,a b"], "no number that x could hold: '-1e999'"),
        (["r01,flag,perhaps,a b"], "no boolean"),
        (["r01,y,cow,a b"], "no class 'cow'"),
        (["r01,y,cat,"], "gives no reason"),
        (["r01,x,1,a b", "r01,x,2,a b"], "another value"),
        (["r01,,1,a b"], "is no column"),
        ([",y,cat,a b"], "names no row"),
        (["r01,y,cat,a b", "r02,y"], "line 3: it has 2 of 4 cells"),
        (["r01,y,cat"], "line 2: it has 3 of 4 cells"),
        (["", 'r01,y,cat,"a', 'b"', "r02,y,cat,a,b"], "line 5: it has 5 of 4 cells"),
        (['r01,y,cat,"a b'], "line 2: it cannot be read"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(
    data: Data, file: Callable[..., Path], lines: list[str], problem: str
) -> None:
    """Nothing is half read."""
    with pytest.raises(DataError, match=problem):
        read(data, file(*lines))


def test_a_new_class_has_to_be_meant(data: Data, file: Callable[..., Path]) -> None:
    """A typing error would be one otherwise."""
    assert len(read(data, file("r01,y,cow,a b"), new_classes=True).cells) == 1  # type: ignore[attr-defined]


def test_a_quoted_cell_that_is_empty_is_empty(data: Data, file: Callable[..., Path]) -> None:
    """Programs that quote every cell leave a line open too, and nobody means a class of blanks."""
    head = '"k","column","value","reason"'
    path = file('"r01","y","",""', '"r02","y"," ",""', '"r03","y","cow",""', ",,,", " ", head=head)
    found = read(data, path, reason="seen", new_classes=True)
    assert found.cells.rows() == [("r03", "y", "cat", "cow", "seen")]  # type: ignore[attr-defined]
    assert found.left_open == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(("separator", "encoding"), [(";", "windows-1252"), (";", "utf-8-sig"), ("\t", "utf-16")])
def test_files_are_read_as_spreadsheets_write_them(data: Data, tmp_path: Path, separator: str, encoding: str) -> None:
    """With semicolons where a comma is the decimal sign, and in the encoding of the machine; commas are in reasons."""
    path = tmp_path / "corrections.csv"
    lines = [
        "k,column,value,reason,likely",
        "r01,y,cat,geprüft; ja|so,",
        "r02,y,,,dog",
        "r03,y,dog,a:b,",
        "r04,y,dog,x",
    ]
    path.write_text("\r\n".join(lines).replace(";", "/").replace(",", separator) + "\r\n", encoding=encoding)
    found = read(data, path)
    cells = [("r01", "y", "dog", "cat", "geprüft/ ja|so"), ("r03", "y", "cat", "dog", "a:b")]
    assert found.cells.rows()[:2] == cells  # type: ignore[attr-defined]
    assert (found.cells["id"].to_list(), found.left_open) == (["r01", "r03"], 1)  # type: ignore[attr-defined]


CELL = st.text(st.sampled_from("aZ9ü,;|\t :\"'\n"), max_size=5)


@given(st.lists(st.tuples(CELL, CELL, CELL, CELL)), st.sampled_from(",;\t|"), st.sampled_from([0, 1]))
def test_what_is_written_is_read(lines: list[tuple[str, ...]], separator: str, quoting: int) -> None:
    """Whatever separates the cells and is in them, quoted all or where they need it; blank ones are empty."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "corrections.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=separator, quoting=quoting).writerows([("k", *COLUMNS), *lines])  # type: ignore[arg-type]
        told = _read(path, ["k"]).drop("line").rows()
    kept = [line for line in lines if any(map(str.strip, line))]
    assert told == [tuple(cell if cell.strip() else None for cell in line) for line in kept]


def test_files_that_are_none_are_refused(data: Data, file: Callable[..., Path], tmp_path: Path) -> None:
    """A missing one, an empty one, one without the columns."""
    with pytest.raises(DataError, match="no file"):
        read(data, tmp_path / "nowhere.csv")
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(DataError, match="is empty"):
        read(data, empty)
    with pytest.raises(DataError, match="cannot be read"):
        read(data, tmp_path)
    with pytest.raises(DataError, match="no column 'value'"):
        read(data, file("r01,y", head="k,column"))
    assert len(read(data, file()).cells) == 0  # type: ignore[attr-defined]


def test_blanks_around_headings_and_numbers_do_not_count(data: Data, file: Callable[..., Path]) -> None:
    """Spreadsheets leave them; of a text they are a part."""
    found = read(data, file("r02,x, 7.5 ,typed", "r04,flag, True ,typed", head="k , column,value ,reason "))
    assert found.cells["value"].to_list() == ["7.5", "true"]  # type: ignore[attr-defined]
    assert len(read(data, file("r02,x,7,typed", head="k,column,value,reason ")).cells) == 1  # type: ignore[attr-defined]
    with pytest.raises(DataError, match="no class ' cat'"):
        read(data, file("r01,y, cat,a b"))


def test_a_heading_with_two_values_is_refused(data: Data, file: Callable[..., Path]) -> None:
    """Which one is right is unknown."""
    for again in ("value", "value "):
        with pytest.raises(DataError, match="has 2 columns 'value'"):
            read(data, file("r01,y,cat,dog,a b", head=f"k,column,value,{again},reason"))


def test_rows_without_a_key_are_refused(open_data: Open, write: Callable[..., Path], file: Callable[..., Path]) -> None:
    """Their numbers name other rows when rows come or go."""
    write(ROWS.drop("k"))
    data = open_data(DataSettings(target="y"))
    data.collect()
    with pytest.raises(DataError, match="no key"):
        read(data, file("1,y,cat,a b", head="_row,column,value,reason"))


def test_a_table_may_have_columns_called_like_ours(
    open_data: Open, write: Callable[..., Path], file: Callable[..., Path]
) -> None:
    """`id`, `line`, `was` and `there` are common names."""
    write(ROWS.rename({"k": "id", "x": "line", "n": "was", "flag": "there"}))
    data = open_data(DataSettings(target="y", key=["id"]))
    data.collect()
    found = read(data, file("r01,line,7,a b", "r02,was,7,a b", "r03,there,false,a b", head="id,column,value,reason"))
    assert found.cells["was"].to_list() == ["1.0", "2", "true"]  # type: ignore[attr-defined]


def test_keys_of_several_columns_and_of_numbers_are_found(
    open_data: Open, write: Callable[..., Path], file: Callable[..., Path]
) -> None:
    """By what they are, not by how a spreadsheet wrote them."""
    write(ROWS.with_columns(pl.lit("a|b").alias("shop")))
    data = open_data(DataSettings(target="y", key=["n", "shop"]))
    data.collect()
    found = read(data, file(" 01,a|b,y,cat,a b", head="n,shop,column,value,reason"))
    assert found.cells["was"].to_list() == ["dog"]  # type: ignore[attr-defined]
    with pytest.raises(DataError, match=r"no row of the version: 'n=2\.0, shop=a\|b'") as error:
        read(data, file("2.0,a|b,y,cat,a b", head="n,shop,column,value,reason"))
    assert "without .0" in error.value.allowed
