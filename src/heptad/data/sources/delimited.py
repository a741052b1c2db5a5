"""Reads delimited text into columns of text, nothing guessed in silence and nothing lost."""

import re

import msgspec
import polars as pl

from heptad.core.errors import DataError
from heptad.data.records import Repair
from heptad.data.sources.encodings import decode
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.sniffing import Dialect, sniff

_NAMES = {"\t": "tab", " ": "blank", ",": "comma", ";": "semicolon", "|": "bar", ":": "colon"}


class TextTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table whose cells are all text or null, how its file was understood, and what had to be repaired."""

    frame: pl.DataFrame
    separator: str
    understood: dict[str, str]
    repairs: list[Repair]


def read_delimited(data: bytes, name: str, settings: SourceSettings) -> TextTable:
    """The cells of a CSV-like file, without blanks around them; texts that mean missing are null.

    Raises `DataError` for an empty file, a header alone, binary content, bytes outside of the encoding, lines with
    more fields than columns.
    """
    text = decode(data, name, settings.encoding)
    body = text.data.lstrip(b"\r\n")
    if b"\n" not in body and b"\r" in body:
        body = body.replace(b"\r", b"\n")
    if not body.strip():
        raise DataError(f"{name} is empty.", allowed="a header and at least one row")
    dialect = sniff(body, name, settings)
    if dialect.runs:
        body = re.sub(rb"(?m)^[ \t]+|[ \t]+$", b"", body)
        body = re.sub(rb"[ \t]+", b" ", body)
    cells, padded, repairs = _stripped(_parse(body, name, dialect, settings), settings.nulls)
    cells = _without_empty_rows(cells)
    if cells.is_empty():
        raise DataError(f"{name} has a header and no rows.", allowed="at least one row of values")
    short = 0 if dialect.quote and dialect.quote.encode() in body else _short_lines(body, dialect)
    understood = {
        "format": "csv",
        "encoding": text.encoding,
        "separator": "blanks" if dialect.runs else _NAMES.get(dialect.separator, dialect.separator),
        "quote": dialect.quote or "none, quotes are ordinary characters",
        "header": "yes" if dialect.header else "no",
    }
    if dialect.preamble:
        understood["before the table"] = f"{dialect.preamble} line{'s' if dialect.preamble > 1 else ''} left out"
    if padded:
        understood["blanks"] = f"removed around {padded:,} cells"
    if short:
        repairs.append(Repair(rule="short_line", rows=short))
    return TextTable(frame=cells, separator=dialect.separator, understood=understood, repairs=repairs)


def _parse(body: bytes, name: str, dialect: Dialect, settings: SourceSettings) -> pl.DataFrame:
    try:
        return pl.read_csv(
            body,
            has_header=False,
            skip_lines=dialect.skip,
            separator=dialect.separator,
            quote_char=dialect.quote or None,
            schema=dict.fromkeys(dialect.names, pl.String()),
            null_values=list(settings.nulls),
            empty_string_is_null=True,
        )
    except pl.exceptions.NoDataError as error:
        raise DataError(f"{name} has a header and no rows.", allowed="at least one row of values") from error
    except pl.exceptions.ComputeError as error:
        raise _unreadable(body, name, dialect, error) from error


def _unreadable(body: bytes, name: str, dialect: Dialect, error: Exception) -> DataError:
    for number, line in enumerate(body.split(b"\n"), 1):
        fields = line.count(dialect.separator.encode()) + 1
        if fields > len(dialect.names) and dialect.quote.encode() not in line:
            return DataError(
                f"{name} has {fields} fields in line {number}, where it has {len(dialect.names)} columns.",
                allowed="as many fields as columns, or fewer",
                remedy="mend the line, or name separator and quote in [sources.NAME]",
            )
    return DataError(
        f"{name} cannot be read as a table: {str(error).splitlines()[0]}.",
        allowed="lines with the same number of fields, quotes that close",
        remedy="mend the file, or name separator and quote in [sources.NAME]",
    )


def _stripped(cells: pl.DataFrame, nulls: tuple[str, ...]) -> tuple[pl.DataFrame, int, list[Repair]]:
    """The cells without blanks around them, how many had some, and which were nothing else, so that they are null."""
    padded = pl.all().str.len_bytes() != pl.all().str.strip_chars().str.len_bytes()
    counts = cells.lazy().select(padded.sum()).collect().row(0, named=True)
    columns = [name for name, count in counts.items() if count]
    if not columns:
        return cells, 0, []
    stripped = pl.col(columns).str.strip_chars()
    blank = cells.lazy().select((stripped == "").sum()).collect().row(0, named=True)
    repairs = [Repair(rule="blank", column=name, cells=count) for name, count in blank.items() if count]
    return cells.with_columns(pl.when(~stripped.is_in([*nulls, ""])).then(stripped)), sum(counts.values()), repairs


def _without_empty_rows(cells: pl.DataFrame) -> pl.DataFrame:
    """A blank line reads as a row of nulls; it is no row."""
    if cells.width == 1 or not cells.lazy().select(pl.all_horizontal(pl.all().is_null()).any()).collect().item():
        return cells
    return cells.filter(~pl.all_horizontal(pl.all().is_null()))


def _short_lines(body: bytes, dialect: Dialect) -> int:
    """How many lines have fewer separators than columns need; only where quotes do not hide separators."""
    mark, needed = dialect.separator.encode(), len(dialect.names) - 1
    lines = body.count(b"\n") + (not body.endswith(b"\n"))
    if body.count(mark) >= lines * needed:
        return 0
    values = body.splitlines()[dialect.skip :]
    return sum(1 for line in values if line.strip() and line.count(mark) < needed)
