"""Reads delimited text into columns of text, nothing guessed in silence and nothing lost."""

import re
from collections.abc import Iterator

import msgspec
import polars as pl

from heptad.core.errors import DataError
from heptad.data.progress import note_done
from heptad.data.records import Repair
from heptad.data.sources.blocks import Keep, kept_frames, record_blocks, without_leading_lines
from heptad.data.sources.encodings import Chunks, open_text
from heptad.data.sources.escapes import without_escapes
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.sniffing import Dialect, sniff

_NAMES = {"\t": "tab", " ": "blank", ",": "comma", ";": "semicolon", "|": "bar", ":": "colon"}


class TextTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table whose cells are all text or null, how its file was understood, and what had to be repaired."""

    rows: pl.LazyFrame
    separator: str
    understood: dict[str, str]
    repairs: list[Repair]


def read_delimited(raw: Chunks, name: str, settings: SourceSettings, keep: Keep | None = None) -> TextTable:
    """The cells of a CSV-like file, without blanks around them; texts that mean missing are null.

    With `keep` no more than a block of the text is in memory at a time, and its cells go to a file; without, they are
    held. Raises `DataError` for an empty file, a header alone, binary content, bytes outside of the encoding, lines
    with more fields than columns.
    """
    text = open_text(raw, name, settings.encoding)
    chunks = without_leading_lines(text.chunks)
    dialect = sniff(chunks, name, settings)
    reading = _Reading(chunks, name, dialect, settings.nulls)
    cells = reading.kept(keep, text.encoding) if keep else reading.held()
    rows, padded, repairs = _stripped(cells, settings.nulls)
    rows = _without_empty_rows(rows)
    if rows.head(1).collect(engine="streaming").is_empty():
        raise DataError(f"{name} has a header and no rows.", allowed="at least one row of values")
    short = reading.short_lines()
    understood = {
        "format": "csv",
        "encoding": text.encoding,
        "separator": "blanks" if dialect.runs else _NAMES.get(dialect.separator, dialect.separator),
        "quote": dialect.quote or "none, quotes are ordinary characters",
        "header": "yes" if dialect.header else "no",
    }
    if dialect.escapes:
        understood["quotes in quotes"] = "after a backslash"
    if dialect.unnamed:
        understood["first column"] = f"without a name in the header, called {dialect.names[0]}"
    if dialect.preamble:
        understood["before the table"] = f"{dialect.preamble} line{'s' if dialect.preamble > 1 else ''} left out"
    if padded:
        understood["blanks"] = f"removed around {padded:,} cells"
    if short:
        repairs.append(Repair(rule="short_line", rows=short))
    return TextTable(rows=rows, separator=dialect.separator, understood=understood, repairs=repairs)


def read_as_written(raw: Chunks, name: str, settings: SourceSettings, keep: Keep | None = None) -> pl.LazyFrame:
    """The cells of a CSV-like file with the blanks around them, a row for each line; raises `DataError` as above."""
    text = open_text(raw, name, settings.encoding)
    chunks = without_leading_lines(text.chunks)
    dialect = sniff(chunks, name, settings)
    if dialect.runs:
        raise DataError(f"{name} separates fields by blanks, which belong to values here.", allowed="a CSV file")
    reading = _Reading(chunks, name, dialect, settings.nulls)
    return reading.kept(keep, text.encoding) if keep else reading.held()


class _Reading:
    """Reads one text block by block."""

    def __init__(self, chunks: Chunks, name: str, dialect: Dialect, nulls: tuple[str, ...]) -> None:
        self._chunks = without_escapes(chunks, dialect.quote) if dialect.escapes else chunks
        self._name = name
        self._dialect = dialect
        self._nulls = list(nulls)
        self._schema = pl.Schema(dict.fromkeys(dialect.names, pl.String()))

    def held(self) -> pl.LazyFrame:
        """The cells in memory."""
        frames = list(self._frames())
        return (pl.concat(frames) if frames else pl.DataFrame(schema=self._schema)).lazy()

    def kept(self, keep: Keep, encoding: str) -> pl.LazyFrame:
        """The cells in a file that is made once of the same text, read in the same way."""
        how = msgspec.json.encode(["cells", encoding, self._dialect, self._nulls]).decode()
        return kept_frames(self._frames, keep, how)

    def short_lines(self) -> int:
        """How many lines have fewer separators than columns need; 0 where quotes may hide separators."""
        mark, needed, short = self._dialect.separator.encode(), len(self._dialect.names) - 1, 0
        quote = self._dialect.quote.encode()
        for _, body in self._blocks():
            if quote and quote in body:
                return 0
            lines = body.count(b"\n") + (not body.endswith(b"\n"))
            if body.count(mark) < lines * needed:
                short += sum(1 for line in body.splitlines() if line.strip() and line.count(mark) < needed)
        return short

    def _blocks(self) -> Iterator[tuple[int, bytes]]:
        """The lines of values in blocks, each with the number of its first line."""
        dialect = self._dialect
        for number, body in record_blocks(self._chunks, self._name, quote=dialect.quote, skip=dialect.skip):
            if not dialect.runs:
                yield number, body
                continue
            trimmed = re.sub(rb"(?m)^[ \t]+|[ \t]+$", b"", body)
            yield number, re.sub(rb"[ \t]+", b" ", trimmed)

    def _frames(self) -> Iterator[pl.DataFrame]:
        # The engine takes the number of columns from the first line, which may be a short one.
        first = b"-" + self._dialect.separator.encode() * (len(self._schema) - 1) + b"\n"
        for number, body in self._blocks():
            try:
                frame = pl.read_csv(
                    first + body,
                    has_header=False,
                    separator=self._dialect.separator,
                    quote_char=self._dialect.quote or None,
                    schema=self._schema,
                    null_values=self._nulls,
                    empty_string_is_null=True,
                )[1:]
            except pl.exceptions.ComputeError as error:
                raise _unreadable(body, number, self._name, self._dialect, error) from error
            note_done(len(frame), "rows")
            yield frame


def _unreadable(body: bytes, first: int, name: str, dialect: Dialect, error: Exception) -> DataError:
    for number, line in enumerate(body.split(b"\n"), first):
        fields = line.count(dialect.separator.encode()) + 1
        if fields > len(dialect.names) and dialect.quote.encode() not in line:
            return DataError(
                f"{name} has {fields} fields in line {number:,}, where it has {len(dialect.names)} columns.",
                allowed="as many fields as columns, or fewer",
                remedy="mend the line, or name separator and quote in [sources.NAME]",
            )
    return DataError(
        f"{name} cannot be read as a table: {str(error).splitlines()[0]}.",
        allowed="lines with the same number of fields, quotes that close",
        remedy="mend the file, or name separator and quote in [sources.NAME]",
    )


def _stripped(cells: pl.LazyFrame, nulls: tuple[str, ...]) -> tuple[pl.LazyFrame, int, list[Repair]]:
    """The cells without blanks around them, how many had some, and which were nothing else, so that they are null."""
    padded = pl.all().str.len_bytes() != pl.all().str.strip_chars().str.len_bytes()
    counts = cells.select(padded.sum()).collect(engine="streaming").row(0, named=True)
    columns = [name for name, count in counts.items() if count]
    if not columns:
        return cells, 0, []
    stripped = pl.col(columns).str.strip_chars()
    blank = cells.select((stripped == "").sum()).collect(engine="streaming").row(0, named=True)
    repairs = [Repair(rule="blank", column=name, cells=count) for name, count in blank.items() if count]
    return cells.with_columns(pl.when(~stripped.is_in([*nulls, ""])).then(stripped)), sum(counts.values()), repairs


def _without_empty_rows(cells: pl.LazyFrame) -> pl.LazyFrame:
    """A blank line reads as a row of nulls; it is no row."""
    empty = pl.all_horizontal(pl.all().is_null())
    if len(cells.collect_schema()) == 1 or not cells.select(empty.any()).collect(engine="streaming").item():
        return cells
    return cells.filter(~empty)
