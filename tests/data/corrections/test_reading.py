"""A file of corrections is held against the version before anything is kept."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from tests.data.conftest import Open
from tests.data.corrections.conftest import ROWS

from heptad.core.errors import DataError
from heptad.data import Data, DataSettings
from heptad.data.corrections.reading import read_corrections


def read(data: Data, path: Path, **more: object) -> object:
    version = data.version("latest")
    return read_corrections(path, version.body, data.scan(version), **more)  # type: ignore[arg-type]


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
    ("lines", "problem"),
    [
        (["r99,y,cat,a b"], "line 2: names no row"),
        (["r01,z,cat,a b"], "'z' is no column"),
        (["r01,k,r02,a b"], "cannot be corrected"),
        (["r01,n,many,a b"], "no integer"),
        (["r01,flag,perhaps,a b"], "no boolean"),
        (["r01,y,cow,a b"], "no class 'cow'"),
        (["r01,y,cat,"], "gives no reason"),
        (["r01,x,1,a b", "r01,x,2,a b"], "another value"),
        (["r01,,1,a b"], "is no column"),
        ([",y,cat,a b"], "names no row"),
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


def test_files_that_are_none_are_refused(data: Data, file: Callable[..., Path], tmp_path: Path) -> None:
    """A missing one, an empty one, one without the columns."""
    with pytest.raises(DataError, match="no file"):
        read(data, tmp_path / "nowhere.csv")
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(DataError, match="is empty"):
        read(data, empty)
    with pytest.raises(DataError, match="no column 'value'"):
        read(data, file("r01,y", head="k,column"))
    assert len(read(data, file()).cells) == 0  # type: ignore[attr-defined]


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
    found = read(data, file("01,a|b,y,cat,a b", head="n,shop,column,value,reason"))
    assert found.cells["was"].to_list() == ["dog"]  # type: ignore[attr-defined]
