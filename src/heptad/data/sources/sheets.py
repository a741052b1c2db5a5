"""Small tables that people fill in: CSV as spreadsheets write it, in the encoding and with the separator of theirs."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from heptad.core.errors import DataError
from heptad.data.sources.encodings import decode
from heptad.data.sources.sniffing import SEPARATORS


def sheet_lines(path: Path, is_heading: Callable[[list[str]], bool]) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line that has any, with the number of the line on which they begin.

    The separator is the one by which the first line is a heading, a comma where none makes it one: what the heading
    holds is known, so it tells more than a guess from all lines, of which some hold any sign. Raises `DataError` for a
    file that is not there or is no text, at once, and for quotes that do not close.
    """
    try:
        text = decode(path.read_bytes(), str(path)).decode()
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path}.", allowed="a CSV file") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.", allowed="a CSV file") from error
    first = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")
    headings = {one: next(csv.reader([first], delimiter=one)) for one in SEPARATORS} if first else {}
    separator = next((one for one, names in headings.items() if is_heading(names)), ",")
    return _lines(text, separator, path)


def _lines(text: str, separator: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    reader, begins = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), 1
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}, line {begins}: it cannot be read: {error}.", allowed="a CSV file, with quotes that close"
        ) from error


def cells_at(places: Sequence[int], cells: list[str], width: int, path: Path, line: int) -> list[str]:
    """Those in some places of a line; programs leave out empty ones at its end, but not those that are asked for."""
    if len(cells) > width or len(cells) <= max(places):
        raise DataError(
            f"{path}, line {line}: it has {len(cells)} of {width} cells.",
            allowed="as many cells as the first line has",
            remedy="write the line out, or remove it",
        )
    return [cells[place] for place in places]
