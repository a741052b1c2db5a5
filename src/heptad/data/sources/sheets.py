"""Small tables that people fill in: CSV as spreadsheets write it, in the encoding and with the separator of theirs."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from heptad.core.errors import DataError
from heptad.data.sources.encodings import decode
from heptad.data.sources.sniffing import SEPARATOR_LINE, SEPARATORS


def sheet_lines(path: Path, is_heading: Callable[[list[str]], bool]) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line that has any, with the number of the line on which they begin.

    The separator is the one that a first line `sep=;` names, which is no line of the table. Else it is the one by which
    the first line is a heading, a comma where none makes it one: what the heading holds is known, so it tells more than
    a guess from all lines, of which some hold any sign. Names in a heading may have blanks around them. Raises
    `DataError` for a file that is not there or is no text, at once, and for quotes that do not close.
    """
    try:
        text = decode(path.read_bytes(), str(path)).decode()
    except FileNotFoundError as error:
        raise DataError(f"There is no file {path}.", allowed="a CSV file") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.", allowed="a CSV file") from error
    first = next((line for line in io.StringIO(text, newline=None) if line.strip()), "")
    declared = SEPARATOR_LINE.match(first)
    if declared:
        lines = _lines(text, declared[1], path)
        next(lines)
    else:
        headings = {one: next(csv.reader([first], delimiter=one)) for one in SEPARATORS} if first else {}
        fitting = (one for one, names in headings.items() if is_heading(_heading(names, is_heading)))
        lines = _lines(text, next(fitting, ","), path)
    return chain(((line, _heading(cells, is_heading)) for line, cells in islice(lines, 1)), lines)


def _heading(cells: list[str], is_heading: Callable[[list[str]], bool]) -> list[str]:
    """The first line's cells, without blanks around them where only that makes them a heading."""
    plain = [cell.strip() for cell in cells]
    return plain if is_heading(plain) and not is_heading(cells) else cells


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


def check_once(needed: Iterable[str], names: Sequence[str], path: Path) -> None:
    """Raises `DataError` where a heading has a name more than once that is asked for: which one is meant is unknown."""
    for name in needed:
        if names.count(name) > 1:
            raise DataError(
                f"{path} has {names.count(name)} columns {name!r}.",
                allowed="one",
                remedy="remove the others, or give them another name",
            )


def cells_at(places: Sequence[int], cells: list[str], width: int, path: Path, line: int) -> list[str]:
    """Those in some places of a line; programs leave out empty ones at its end, but not those that are asked for."""
    if len(cells) > width or len(cells) <= max(places):
        raise DataError(
            f"{path}, line {line}: it has {len(cells)} of {width} cells.",
            allowed="as many cells as the first line has",
            remedy="write the line out, or remove it",
        )
    return [cells[place] for place in places]
