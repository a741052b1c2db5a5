"""Small tables that people fill in."""

from pathlib import Path

import pytest

from heptad.core.errors import DataError
from heptad.data.sources.sheets import cells_at, check_once, sheet_lines


def lines(folder: Path, text: str, *columns: str) -> list[tuple[int, list[str]]]:
    path = folder / "sheet.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return list(sheet_lines(path, set(columns).issubset))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ":"])
def test_the_heading_tells_what_separates_cells(tmp_path: Path, separator: str) -> None:
    """Other signs stand in cells; blank lines are left out, and lines are numbered as an editor shows them."""
    text = "a#b\n\n'1,2;3|4:5'#x\r\n#\n'two\nlines'#y".replace("'", '"').replace("#", separator)
    assert lines(tmp_path, text, "a", "b") == [
        (1, ["a", "b"]),
        (3, ["1,2;3|4:5", "x"]),
        (5, ["two\nlines", "y"]),
    ]


def test_commas_separate_where_no_sign_makes_a_heading(tmp_path: Path) -> None:
    """An empty file has no lines."""
    assert lines(tmp_path, "1;2,3\n", "a") == [(1, ["1;2", "3"])]
    assert lines(tmp_path, "", "a") == []


@pytest.mark.parametrize("first", ["sep=;", '\ufeff"sep=;"', "SEP=;"])
def test_a_line_that_names_the_separator_is_none_of_the_table(tmp_path: Path, first: str) -> None:
    """Excel writes it and does not show it; the lines below keep their numbers."""
    assert lines(tmp_path, f"{first}\r\na;b\r\n1,2;3\r\n", "a", "b") == [(2, ["a", "b"]), (3, ["1,2", "3"])]
    assert lines(tmp_path, "sep=\t\na\tb\n", "a", "b") == [(2, ["a", "b"])]
    assert lines(tmp_path, first, "a") == []


def test_blanks_around_names_in_a_heading_do_not_count(tmp_path: Path) -> None:
    """Unless a column is called so; blanks in other lines stay."""
    assert lines(tmp_path, " a; b \n 1;2 \n", "a", "b") == [(1, ["a", "b"]), (2, [" 1", "2 "])]
    assert lines(tmp_path, "a ;b\n", "a ", "b") == [(1, ["a ", "b"])]
    assert lines(tmp_path, " 1 , 2\n", "a") == [(1, [" 1 ", " 2"])]


def test_names_that_are_asked_for_come_once(tmp_path: Path) -> None:
    """Others may come again."""
    check_once(["a", "b"], ["a", "c", "c"], tmp_path)
    with pytest.raises(DataError, match="has 2 columns 'c'"):
        check_once(["a", "c"], ["a", "c", "c"], tmp_path)


def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    """A file that is not there, a folder, a program, and quotes that never close."""
    with pytest.raises(DataError, match="no file"):
        sheet_lines(tmp_path / "nowhere.csv", bool)
    with pytest.raises(DataError, match="cannot be read"):
        sheet_lines(tmp_path, bool)
    with pytest.raises(DataError, match="a program, not text"):
        lines(tmp_path, "\x7fELF", "a")
    with pytest.raises(DataError, match=r"sheet\.csv, line 3: it cannot be read"):
        lines(tmp_path, 'a,b\n1,2\n"3,4\n', "a")


def test_cells_that_are_cut_off_are_refused(tmp_path: Path) -> None:
    """Those that are not asked for may be left out at the end; more than the heading has were separated wrongly."""
    assert cells_at((1, 0), ["x", "y"], 3, tmp_path, 2) == ["y", "x"]
    for cells in (["x"], ["x", "y", "z", "more"]):
        with pytest.raises(DataError, match=f"line 2: it has {len(cells)} of 3 cells"):
            cells_at((1, 0), cells, 3, tmp_path, 2)
