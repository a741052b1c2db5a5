"""What a person knows of a few cells: the file that tells it, read and checked."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.data.cleaning.suggesting.reading import Cells
from heptad.data.sources.sheets import cells_at, check_once, sheet_lines

_ROW = ("row", "index", "row_index")
_COLUMN = ("column", "col", "attribute", "field")
_VALUE = ("value", "label", "truth")
_WIDTH = 3


class Labels(msgspec.Struct, frozen=True):
    """`given`: (row, column) to the correct text; `only_wrong`: the file lists nothing but corrections."""

    given: dict[tuple[int, str], str] = {}

    def rows(self) -> list[int]:
        return sorted({row for row, _ in self.given})

    def completed(self, frame: pl.DataFrame) -> "Labels":
        """With the other cells of its rows taken as right, where the file lists corrections alone."""
        if any(frame[column][row] == text for (row, column), text in self.given.items()):
            return self
        right = {(row, column): str(frame[column][row]) for row in self.rows() for column in frame.columns}
        return Labels(right | self.given)


def read_labels(path: Path, cells: Cells) -> Labels:
    """Rows of `row` (from 0), `column`, correct value (empty: the cell should be empty); raises `DataError`.

    Columns are found by name, or taken in that order. A blank in front of a value counts. Rows of a table are turned
    into those of the frame.
    """
    lines = sheet_lines(path, lambda names: len(names) >= _WIDTH)
    names = next(lines, (1, None))[1]
    if names is None:
        return Labels()
    if len(names) < _WIDTH:
        raise DataError(f"{path} has {len(names)} columns.", allowed="row, column, correct value")
    places = _places([name.strip().lower() for name in names], path)
    given = {}
    for line, cells_of_line in lines:
        at, name, text = cells_at(places, cells_of_line, len(names), path, line)
        given[_row(at, path, line, cells), _column(name, path, line, cells.frame)] = text
    return Labels(given).completed(cells.frame)


def _places(names: list[str], path: Path) -> tuple[int, int, int]:
    """Where the row, the column and the correct value stand: by name, or in that order."""
    row = next((names.index(name) for name in _ROW if name in names), 0)
    column = next((names.index(name) for name in _COLUMN if name in names), 1)
    rest = [place for place in range(len(names)) if place not in {row, column}]
    value = next((place for place in rest if "correct" in names[place] or "clean" in names[place]), None)
    value = next((place for place in rest if names[place] in _VALUE), rest[-1]) if value is None else value
    check_once([names[place] for place in (row, column, value) if names[place]], names, path)
    return row, column, value


def _row(text: str, path: Path, line: int, cells: Cells) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number < cells.rows:
        raise DataError(f"{path}, line {line}: there is no row {text!r}.", allowed=f"0 to {cells.rows - 1}")
    if number % cells.every:
        raise DataError(
            f"{path}, line {line}: row {number} is not looked at; the table is larger than memory can judge.",
            allowed=f"multiples of {cells.every}",
        )
    return number // cells.every


def _column(name: str, path: Path, line: int, frame: pl.DataFrame) -> str:
    if name not in frame.columns:
        raise DataError(f"{path}, line {line}: there is no column {name!r}.", allowed=nearest(name, frame.columns))
    return name


def corrected(frame: pl.DataFrame, labels: Mapping[tuple[int, str], str]) -> pl.DataFrame:
    """The table with what is known put in."""
    by_column: dict[str, dict[int, str]] = {}
    for (row, column), text in labels.items():
        by_column.setdefault(column, {})[row] = text
    changed = [frame[name].scatter(list(cells), list(cells.values())) for name, cells in by_column.items()]
    return frame.with_columns(changed)
