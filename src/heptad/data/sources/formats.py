"""Tells a file's format and reads it: delimited text, JSON lines, Parquet; all end as typed columns."""

import io
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePath

import polars as pl

from heptad.core.errors import DataError
from heptad.data.columns.column_types import Dates, conform, read_columns, read_text, read_times
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
    cells = _stacked([table.frame.lazy() for table in tables], parts).collect()
    decimal_comma = tables[0].separator != ","
    read = {name: read_text(name, decimal_comma, style) for name in cells.columns if name not in keep_text}
    typed, told, repairs = read_columns(cells, read)
    repairs = [*(repair for table in tables for repair in table.repairs), *repairs]
    return _table(typed.lazy(), tables[0].understood, told, repairs)


def _read_typed(
    kind: str, parts: Sequence[tuple[str, Content]], settings: SourceSettings, style: Dates, keep_text: Collection[str]
) -> SourceTable:
    if kind == "parquet":
        frames = [_scan_parquet(name, content) for name, content in parts]
    else:
        frames = [read_json_lines(_bytes(content), name, settings.encoding).lazy() for name, content in parts]
    flat, nested = flattened(_stacked(frames, parts))
    stored, repairs = conform(flat, {}, style)
    kinds = stored.collect_schema()
    texts = [name for name, dtype in kinds.items() if dtype == pl.String and name not in keep_text]
    typed, told, found = read_columns(stored, {name: read_times(name, style) for name in texts})
    return _table(typed, {"format": kind} | nested, told, [*repairs, *found])


def _table(
    rows: pl.LazyFrame, understood: dict[str, str], columns: Mapping[str, str], repairs: list[Repair]
) -> SourceTable:
    told = {f"column {name}": how for name, how in columns.items()}
    return SourceTable(rows=rows, understood=understood | told, repairs=repairs)


def _stacked(frames: Sequence[pl.LazyFrame], parts: Sequence[tuple[str, Content]]) -> pl.LazyFrame:
    names = [frame.collect_schema().names() for frame in frames]
    for found, (name, _) in zip(names, parts, strict=True):
        check_names(found, name)
        if set(found) != set(names[0]):
            odd = sorted(set(found) ^ set(names[0]))
            raise DataError(
                f"{name} has other columns than {parts[0][0]}: they differ in {', '.join(odd[:5])}.",
                allowed="files with the same columns",
                remedy="name the files apart, as sources of their own",
            )
    stacked = frames[0]
    if len(frames) > 1:
        stacked = pl.concat([frame.select(names[0]) for frame in frames], how="vertical_relaxed")
    if stacked.head(1).collect().is_empty():
        raise DataError(f"{parts[0][0]} has no rows.", allowed="at least one row")
    return stacked


def _scan_parquet(name: str, content: Content) -> pl.LazyFrame:
    """The rows of a Parquet file, which stay there until they are needed."""
    try:
        if isinstance(content, bytes):
            return pl.read_parquet(io.BytesIO(content)).lazy()
        scanned = pl.scan_parquet(content, glob=False)
        scanned.collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(
            f"{name} is not a readable Parquet file: {str(error).splitlines()[0]}.",
            remedy="write it again; it may be cut short",
        ) from error
    return scanned


def flattened(rows: pl.LazyFrame) -> tuple[pl.LazyFrame, dict[str, str]]:
    """Structs as columns named `outer.inner`, lists as text with blanks between; and which were."""
    told: dict[str, str] = {}
    schema = rows.collect_schema()
    while any(isinstance(kind, pl.Struct) for kind in schema.dtypes()):
        columns: list[pl.Expr] = []
        for name, kind in schema.items():
            if not isinstance(kind, pl.Struct):
                columns.append(pl.col(name))
                continue
            told[f"column {name}"] = f"{len(kind.fields)} columns, one for each of its fields"
            columns += [pl.col(name).struct.field(one.name).alias(f"{name}.{one.name}") for one in kind.fields]
        rows = rows.select(columns)
        schema = rows.collect_schema()
    lists = [name for name, kind in schema.items() if isinstance(kind, pl.List | pl.Array)]
    told |= {f"column {name}": "a list, as text with blanks between" for name in lists}
    return rows.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join(" ") for name in lists), told


def _bytes(content: Content) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()
