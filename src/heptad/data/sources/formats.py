"""Tells a file's format and reads it: delimited text, JSON lines, Parquet; all end as typed columns."""

import io
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePath

import polars as pl

from heptad.core.errors import DataError
from heptad.data.columns.column_types import Dates, TypedColumn, conform, read_column, read_times
from heptad.data.records import Repair
from heptad.data.sources.delimited import read_delimited
from heptad.data.sources.json_lines import read_json_lines
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.sniffing import check_names
from heptad.data.sources.source import SourceTable

SUFFIXES = {".parquet": "parquet", ".pq": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}
"""Formats by a file's name; everything else is delimited text, unless its first bytes say otherwise."""

Content = bytes | Path


def read_files(
    parts: Sequence[tuple[str, Content]], settings: SourceSettings, style: Dates, keep_text: Collection[str]
) -> SourceTable:
    """The rows of files (name and content) one under the other; they must agree in format and columns."""
    formats = {_format_of(name, content, settings) for name, content in parts}
    if len(formats) > 1:
        raise DataError(
            f"The files are of different formats: {', '.join(sorted(formats))}.", allowed="files of one format"
        )
    (kind,) = formats
    if kind == "csv":
        table = _read_texts(parts, settings, style, keep_text)
    else:
        table = _read_typed(kind, parts, settings, style, keep_text)
    return (
        table
        if len(parts) == 1
        else SourceTable(
            rows=table.rows, understood={"files": f"{len(parts)}", **table.understood}, repairs=table.repairs
        )
    )


def _format_of(name: str, content: Content, settings: SourceSettings) -> str:
    if settings.format:
        return settings.format
    head = content[:64] if isinstance(content, bytes) else _head(content)
    if head.startswith(b"PAR1"):
        return "parquet"
    by_name = SUFFIXES.get(PurePath(name).suffix.lower(), "csv")
    return "jsonl" if by_name == "csv" and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b'{"') else by_name


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def _read_texts(
    parts: Sequence[tuple[str, Content]], settings: SourceSettings, style: Dates, keep_text: Collection[str]
) -> SourceTable:
    tables = [read_delimited(_bytes(content), name, settings) for name, content in parts]
    cells = _stacked([table.frame for table in tables], parts)
    decimal_comma = tables[0].separator != ","

    def typed(texts: pl.Series) -> TypedColumn:
        if texts.name in keep_text:
            return TypedColumn(values=texts)
        return read_column(texts, decimal_comma, style)

    # Polars works without the interpreter's lock, so threads share the columns.
    with ThreadPoolExecutor() as pool:
        columns = list(pool.map(typed, cells))
    repairs = [repair for table in tables for repair in table.repairs]
    return _table(columns, tables[0].understood, repairs)


def _read_typed(
    kind: str, parts: Sequence[tuple[str, Content]], settings: SourceSettings, style: Dates, keep_text: Collection[str]
) -> SourceTable:
    if kind == "parquet":
        frames = [_read_parquet(name, content) for name, content in parts]
    else:
        frames = [read_json_lines(_bytes(content), name, settings.encoding) for name, content in parts]
    flat, nested = _flattened(_stacked(frames, parts))
    stored, repairs = conform(flat, {}, style)
    columns = [
        read_times(values, style)
        if values.dtype == pl.String and values.name not in keep_text
        else TypedColumn(values=values)
        for values in stored
    ]
    return _table(columns, {"format": kind} | nested, repairs)


def _table(columns: Sequence[TypedColumn], understood: dict[str, str], repairs: list[Repair]) -> SourceTable:
    told = {f"column {column.values.name}": column.understood for column in columns if column.understood}
    return SourceTable(
        rows=pl.DataFrame([column.values for column in columns]).lazy(),
        understood=understood | told,
        repairs=repairs + [repair for column in columns for repair in column.repairs],
    )


def _stacked(frames: Sequence[pl.DataFrame], parts: Sequence[tuple[str, Content]]) -> pl.DataFrame:
    first = frames[0]
    for frame, (name, _) in zip(frames, parts, strict=True):
        check_names(frame.columns, name)
        if set(frame.columns) != set(first.columns):
            odd = sorted(set(frame.columns) ^ set(first.columns))
            raise DataError(
                f"{name} has other columns than {parts[0][0]}: they differ in {', '.join(odd[:5])}.",
                allowed="files with the same columns",
                remedy="name the files apart, as sources of their own",
            )
    stacked = pl.concat([frame.select(first.columns) for frame in frames], how="vertical_relaxed")
    if stacked.is_empty():
        raise DataError(f"{parts[0][0]} has no rows.", allowed="at least one row")
    return stacked


def _read_parquet(name: str, content: Content) -> pl.DataFrame:
    try:
        return pl.read_parquet(io.BytesIO(content) if isinstance(content, bytes) else content)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"{name} is not a readable Parquet file: {str(error).splitlines()[0]}.",
            remedy="write it again; it may be cut short",
        ) from error


def _flattened(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """Structs as columns named `outer.inner`, lists as text with blanks between; and which were."""
    told: dict[str, str] = {}
    while nested := [name for name, kind in frame.schema.items() if isinstance(kind, pl.Struct)]:
        for name in nested:
            inner = frame[name].struct.unnest()
            told[f"column {name}"] = f"{inner.width} columns, one for each of its fields"
            position = frame.columns.index(name)
            before, after = frame.columns[:position], frame.columns[position + 1 :]
            renamed = inner.rename({field: f"{name}.{field}" for field in inner.columns})
            frame = frame.select(before).hstack(renamed).hstack(frame.select(after))
    lists = [name for name, kind in frame.schema.items() if isinstance(kind, pl.List | pl.Array)]
    told |= {f"column {name}": "a list, as text with blanks between" for name in lists}
    joined = [pl.col(name).cast(pl.List(pl.String)).list.join(" ") for name in lists]
    return frame.with_columns(joined), told


def _bytes(content: Content) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()
