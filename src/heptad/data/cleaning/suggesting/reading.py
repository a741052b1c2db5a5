"""Reads a table for what it says, letter by letter: blanks, marks for missing and all."""

import io
from pathlib import Path

import polars as pl

from heptad.core.errors import DataError
from heptad.data.sources.encodings import decode
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.sniffing import sniff


def read_cells(path: Path, settings: SourceSettings | None = None) -> pl.DataFrame:
    """The cells of a delimited, Parquet or JSON lines file as text, in the order of its rows; empty: nothing there.

    Row 0 is the first line of values. Raises `DataError` for what is no table.
    """
    settings = settings or SourceSettings(uri=str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}.", allowed="a CSV, Parquet or JSON lines file"
        ) from error
    if content.startswith(b"PAR1"):
        return _texts(pl.read_parquet(io.BytesIO(content)), path)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b'{"'):
        return _texts(pl.read_ndjson(io.BytesIO(content), infer_schema_length=None), path)
    body = decode(content, path.name, settings.encoding).lstrip(b"\r\n")
    if not body.strip():
        raise DataError(f"{path} is empty.", allowed="a header and at least one row")
    dialect = sniff(lambda: iter([body]), path.name, settings)
    if dialect.runs:
        raise DataError(f"{path} separates fields by blanks, which belong to values here.", allowed="a CSV file")
    try:
        frame = pl.read_csv(
            body,
            has_header=False,
            skip_lines=dialect.skip,
            separator=dialect.separator,
            quote_char=dialect.quote or None,
            schema=dict.fromkeys(dialect.names, pl.String()),
            empty_string_is_null=False,
        )
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"{path} cannot be read as a table: {str(error).splitlines()[0]}.",
            allowed="lines with the same number of fields, quotes that close",
        ) from error
    return _texts(frame, path)


def _texts(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    if frame.is_empty():
        raise DataError(f"{path} has no rows.", allowed="at least one row")
    flat = [name for name, kind in frame.schema.items() if not kind.is_nested()]
    return frame.select(pl.col(flat).cast(pl.String).fill_null(""))
