"""What a person knows of a few cells: the file that tells it, read and checked."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
import polars as pl

from heptad.core.errors import DataError, nearest
from heptad.data.cleaning.suggesting.reading import Cells

_ROW = ("row", "index", "row_index")
_COLUMN = ("column", "col", "attribute", "field")


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
    try:
        table = pl.read_csv(path, infer_schema=False, empty_string_is_null=False)
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path}.", allowed="a CSV with row, column, correct value") from error
    except pl.exceptions.NoDataError:
        return Labels()
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path} cannot be read: {str(error).splitlines()[0]}.", allowed="a CSV file") from error
    if table.width < 3:
        raise DataError(f"{path} has {table.width} columns.", allowed="row, column, correct value")
    names = {name.lower(): name for name in table.columns}
    row = next((names[name] for name in _ROW if name in names), table.columns[0])
    column = next((names[name] for name in _COLUMN if name in names), table.columns[1])
    rest = [name for name in table.columns if name not in {row, column}]
    value = next((name for name in rest if "correct" in name.lower() or "clean" in name.lower()), "")
    value = value or next((name for name in rest if name.lower() in {"value", "label", "truth"}), rest[-1])
    given = {}
    for line, (at, name, text) in enumerate(table.select(row, column, value).iter_rows(), 2):
        given[_row(at, path, line, cells), _column(name, path, line, cells.frame)] = text or ""
    return Labels(given).completed(cells.frame)


def _row(text: str | None, path: Path, line: int, cells: Cells) -> int:
    try:
        number = int(text or "")
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


def _column(name: str | None, path: Path, line: int, frame: pl.DataFrame) -> str:
    if name not in frame.columns:
        raise DataError(
            f"{path}, line {line}: there is no column {name!r}.", allowed=nearest(name or "", frame.columns)
        )
    return name


def corrected(frame: pl.DataFrame, labels: Mapping[tuple[int, str], str]) -> pl.DataFrame:
    """The table with what is known put in."""
    by_column: dict[str, dict[int, str]] = {}
    for (row, column), text in labels.items():
        by_column.setdefault(column, {})[row] = text
    changed = [frame[name].scatter(list(cells), list(cells.values())) for name, cells in by_column.items()]
    return frame.with_columns(changed)
