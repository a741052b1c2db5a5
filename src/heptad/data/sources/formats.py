"""Tells a file's format and reads it: text, JSON, Parquet, Arrow, Avro, Excel; all end as typed columns."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePath

import polars as pl

from heptad.core.errors import DataError
from heptad.data.columns.column_types import Dates, conform, is_large, read_columns, read_large, read_text, read_times
from heptad.data.progress import Estimate, note_done
from heptad.data.records import Repair
from heptad.data.sources.avro import scan_avro
from heptad.data.sources.blocks import check_lines, chunks_of, whole_bytes
from heptad.data.sources.cache import SourceCache
from heptad.data.sources.delimited import read_as_written, read_delimited
from heptad.data.sources.excel import OLE, read_sheet
from heptad.data.sources.html_tables import is_page, read_page
from heptad.data.sources.json_documents import read_json_document
from heptad.data.sources.json_lines import read_json_lines
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.sniffing import check_names
from heptad.data.sources.source import SourceTable

SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".avro": "avro",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
    ".html": "html",
    ".htm": "html",
}
"""Formats by a file's name; everything else is delimited text, unless its first bytes say otherwise."""
_MAGIC = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow",
    b"Obj\x01": "avro",
    b"PK\x03\x04": "excel",
    OLE: "excel",
}
"""The first bytes of binary formats. A ZIP archive that comes here is a book: others were unpacked."""
DOCUMENT_BYTES = 2 << 30
"""The largest JSON document, which is held in memory whole; JSON lines have no limit."""
_HEAD = 1 << 16


def read_files(
    parts: Sequence[tuple[str, Path]],
    settings: SourceSettings,
    style: Dates,
    keep_text: Collection[str],
    cache: SourceCache,
) -> SourceTable:
    """The rows of files (name and path) one under the other; they must agree in format and columns."""
    kind = _common_format(parts, settings)
    if kind == "csv":
        table = _read_texts(parts, settings, style, keep_text, cache)
    elif kind == "html":
        table = _read_pages(parts, settings, style, keep_text, cache)
    else:
        table = _read_typed(kind, parts, settings, style, keep_text, cache)
    return (
        table
        if len(parts) == 1
        else SourceTable(
            rows=table.rows, understood={"files": f"{len(parts)}", **table.understood}, repairs=table.repairs
        )
    )


def estimate_files(parts: Sequence[tuple[str, Path]], settings: SourceSettings) -> Estimate:
    """Rows by the footers of Parquet, and by the lines at the beginning of texts; else bytes."""
    kind = _common_format(parts, settings)
    if kind == "parquet":
        scans = [_open_parquet_rows(name, path).select(pl.len()) for name, path in parts]
        return Estimate(sum(int(scan.collect().item()) for scan in scans), "rows")
    if kind in {"csv", "jsonl"}:
        return Estimate(sum(_about_lines(path) - (kind == "csv") for _, path in parts), "rows")
    return Estimate(sum(path.stat().st_size for _, path in parts), "bytes")


def _about_lines(path: Path) -> int:
    """How many lines there are if those at the beginning are like the others."""
    head, size = _head(path), path.stat().st_size
    ends = head.count(b"\n") or head.count(b"\r")
    return round((ends + (not head.endswith((b"\n", b"\r")))) * size / max(1, len(head)))


def cells_of(parts: Sequence[tuple[str, Path]], settings: SourceSettings, cache: SourceCache) -> pl.LazyFrame:
    """The rows of files as they are written: texts with blanks and marks for missing, typed files in their types."""
    kind = _common_format(parts, settings)
    if kind != "csv":
        return flattened(_stacked([_OPENERS[kind](name, path, settings, cache)[0] for name, path in parts], parts))[0]
    frames = []
    for name, path in parts:
        check_lines(path, name)
        small = path.stat().st_size <= whole_bytes()
        keep = None if small else partial(cache.folder_made_of, path)
        frames.append(read_as_written(chunks_of(path, whole=small), name, settings, keep))
    return _stacked(frames, parts)


def _common_format(parts: Sequence[tuple[str, Path]], settings: SourceSettings) -> str:
    formats = {_format_of(name, path, settings) for name, path in parts}
    if len(formats) > 1:
        raise DataError(
            f"The files are of different formats: {', '.join(sorted(formats))}.", allowed="files of one format"
        )
    return formats.pop()


def _format_of(name: str, path: Path, settings: SourceSettings) -> str:
    if settings.format:
        return settings.format
    head = _head(path)
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    by_name = SUFFIXES.get(PurePath(name).suffix.lower(), "html" if is_page(head) else "csv")
    if by_name not in {"csv", "json", "jsonl"}:
        return by_name
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if re.match(rb"\[\s*\{", text) or (by_name == "json" and text.startswith(b"[")):
        return "json"
    if by_name == "json" and text.startswith(b"{"):
        return "jsonl" if _is_lines(text, whole=len(head) < _HEAD) else "json"
    return "jsonl" if by_name == "csv" and text.startswith(b'{"') else by_name


def _is_lines(text: bytes, *, whole: bool) -> bool:
    """Whether objects stand one a line, or are a single one without a table in it."""
    first, _, rest = text.partition(b"\n")
    if rest.strip():
        return first.rstrip().endswith(b"}") and rest.lstrip().startswith(b"{")
    return whole and not re.search(rb"\[\s*\{", text)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _read_texts(
    parts: Sequence[tuple[str, Path]],
    settings: SourceSettings,
    style: Dates,
    keep_text: Collection[str],
    cache: SourceCache,
) -> SourceTable:
    tables, small = [], sum(path.stat().st_size for _, path in parts) <= whole_bytes()
    for name, path in parts:
        check_lines(path, name)
        keep = None if small else partial(cache.folder_made_of, path)
        tables.append(read_delimited(chunks_of(path, whole=small), name, settings, keep))
        _note_read(path, cache)
    cells = _stacked([table.rows for table in tables], parts)
    decimal_comma = tables[0].separator != ","
    read = {name: read_text(name, decimal_comma, style) for name in cells.collect_schema() if name not in keep_text}
    typed, told, repairs = read_columns(cells.collect(), read) if small else read_columns(cells, read)
    repairs = [*(repair for table in tables for repair in table.repairs), *repairs]
    return _table(typed.lazy(), tables[0].understood, told, repairs)


def _read_pages(
    parts: Sequence[tuple[str, Path]],
    settings: SourceSettings,
    style: Dates,
    keep_text: Collection[str],
    cache: SourceCache,
) -> SourceTable:
    """Tables of pages: all cells are text, and are read as those of a CSV file are."""
    pages = []
    for name, path in parts:
        pages.append(read_page(path, name, settings))
        _note_read(path, cache)
    cells = _stacked([page.cells.lazy() for page in pages], parts).collect()
    read = {name: read_text(name, decimal_comma=False, style=style) for name in cells.columns if name not in keep_text}
    typed, told, repairs = read_columns(cells, read)
    return _table(typed.lazy(), pages[0].understood, told, repairs)


def _read_typed(
    kind: str,
    parts: Sequence[tuple[str, Path]],
    settings: SourceSettings,
    style: Dates,
    keep_text: Collection[str],
    cache: SourceCache,
) -> SourceTable:
    opened = []
    for name, path in parts:
        opened.append(_OPENERS[kind](name, path, settings, cache))
        _note_read(path, cache)
    flat, nested = flattened(_stacked([rows for rows, _ in opened], parts))
    large = [name for name, dtype in flat.collect_schema().items() if is_large(dtype)]
    # As numbers they would lose their last digits, and rows that differ in these would be copies of each other.
    exact, codes, _ = read_columns(flat, {name: read_large(name) for name in large})
    stored, repairs = conform(exact, {}, style)
    kept = {*keep_text, *codes}
    texts = [name for name, dtype in stored.collect_schema().items() if dtype == pl.String and name not in kept]
    typed, told, found = read_columns(stored, {name: read_times(name, style) for name in texts})
    return _table(typed, {"format": kind} | opened[0][1] | nested, codes | told, [*repairs, *found])


def _note_read(path: Path, cache: SourceCache) -> None:
    # Of what was downloaded or unpacked, that was told.
    if not cache.is_ours(path):
        note_done(path.stat().st_size, "bytes")


def _table(
    rows: pl.LazyFrame, understood: dict[str, str], columns: Mapping[str, str], repairs: list[Repair]
) -> SourceTable:
    told = {f"column {name}": how for name, how in columns.items()}
    return SourceTable(rows=rows, understood=understood | told, repairs=repairs)


def _stacked(frames: Sequence[pl.LazyFrame], parts: Sequence[tuple[str, Path]]) -> pl.LazyFrame:
    schemas = [frame.collect_schema() for frame in frames]
    for found, (name, _) in zip(schemas, parts, strict=True):
        check_names(found.names(), name)
        differences = _differences(schemas[0], found, parts[0][0], name)
        if differences:
            more = f", and {len(differences) - 5} more" if len(differences) > 5 else ""
            raise DataError(
                f"{name} has other columns than {parts[0][0]}: {', '.join(differences[:5])}{more}.",
                allowed="files with the same columns",
                remedy="name the files apart, as sources of their own",
            )
    stacked = frames[0]
    if len(frames) > 1:
        stacked = pl.concat([frame.select(schemas[0].names()) for frame in frames], how="vertical_relaxed")
    if stacked.head(1).collect().is_empty():
        raise DataError(f"{parts[0][0]} has no rows.", allowed="at least one row")
    return stacked


def _differences(first: pl.Schema, second: pl.Schema, first_file: str, second_file: str) -> list[str]:
    """What keeps two files from standing one under the other; whole numbers and others do not."""
    missing = [f"{name} is missing in {second_file}" for name in first if name not in second]
    missing += [f"{name} is missing in {first_file}" for name in second if name not in first]
    return missing + [
        f"{name} is {kind} in {first_file} and {second[name]} in {second_file}"
        for name, kind in first.items()
        if name in second and kind != second[name] and not _fit(kind, second[name])
    ]


def _fit(first: pl.DataType, second: pl.DataType) -> bool:
    if pl.Null() in {first, second} or (first.is_numeric() and second.is_numeric()):
        return True
    return isinstance(first, pl.Datetime) and isinstance(second, pl.Datetime) and first.time_zone == second.time_zone


Opened = tuple[pl.LazyFrame, dict[str, str]]
"""Rows, and what is told about how they were found."""


def _open_lines(name: str, path: Path, settings: SourceSettings, cache: SourceCache) -> Opened:
    check_lines(path, name)
    small = path.stat().st_size <= whole_bytes()
    keep = None if small else partial(cache.folder_made_of, path)
    return read_json_lines(chunks_of(path, whole=small), name, settings.encoding, keep), {}


def _open_document(name: str, path: Path, settings: SourceSettings, _cache: SourceCache) -> Opened:
    if path.stat().st_size > DOCUMENT_BYTES:
        raise DataError(
            f"{name} is a JSON document of {path.stat().st_size / 1e9:.1f} GB.",
            allowed=f"documents up to {DOCUMENT_BYTES / 1e9:.1f} GB, or JSON lines",
            remedy="write one object a line: jq -c '.[]' FILE",
        )
    rows, taken = read_json_document(path.read_bytes(), name, settings.encoding)
    return rows, {"taken": taken}


def _open_page(name: str, path: Path, settings: SourceSettings, _cache: SourceCache) -> Opened:
    page = read_page(path, name, settings)
    return page.cells.lazy(), page.understood


def _open_parquet(name: str, path: Path, _settings: SourceSettings, _cache: SourceCache) -> Opened:
    return _open_parquet_rows(name, path), {}


def _open_parquet_rows(name: str, path: Path) -> pl.LazyFrame:
    return _scanned("Parquet", name, lambda: pl.scan_parquet(path, glob=False))


def _open_arrow(name: str, path: Path, _settings: SourceSettings, _cache: SourceCache) -> Opened:
    if _head(path).startswith(b"ARROW1"):
        return _scanned("Arrow", name, lambda: pl.scan_ipc(path, glob=False)), {"kind": "file"}
    return _scanned("Arrow", name, lambda: pl.read_ipc_stream(path).lazy()), {"kind": "stream"}


def _open_avro(name: str, path: Path, _settings: SourceSettings, cache: SourceCache) -> Opened:
    converted = cache.made_of(path, "avro", lambda target: scan_avro(path, name).sink_parquet(target))
    return pl.scan_parquet(converted, glob=False), {}


def _open_excel(name: str, path: Path, settings: SourceSettings, _cache: SourceCache) -> Opened:
    frame, sheet = read_sheet(path, name, settings.sheet, int(settings.unpacked_gb * 1e9))
    return frame.lazy(), {"sheet": sheet}


_OPENERS: dict[str, Callable[[str, Path, SourceSettings, SourceCache], Opened]] = {
    "jsonl": _open_lines,
    "json": _open_document,
    "parquet": _open_parquet,
    "arrow": _open_arrow,
    "avro": _open_avro,
    "excel": _open_excel,
    "html": _open_page,
}


def _scanned(what: str, name: str, scan: Callable[[], pl.LazyFrame]) -> pl.LazyFrame:
    """Rows that stay in their file until they are needed; its schema is read now."""
    try:
        rows = scan()
        rows.collect_schema()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise DataError(
            f"{name} is not a readable {what} file: {str(error).splitlines()[0]}.",
            remedy="write it again; it may be cut short",
        ) from error
    return rows


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
        _check_flat(schema)
        rows = rows.select(columns)
        schema = rows.collect_schema()
    lists = [name for name, kind in schema.items() if isinstance(kind, pl.List | pl.Array)]
    told |= {f"column {name}": "a list, as text with blanks between" for name in lists}
    return rows.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join(" ") for name in lists), told


def _check_flat(schema: pl.Schema) -> None:
    """Raises `DataError` where a field of a struct would be called like another column."""
    fields = [
        (f"{name}.{one.name}", f"the field {one.name!r} of {name!r}")
        for name, kind in schema.items()
        if isinstance(kind, pl.Struct)
        for one in kind.fields
    ]
    plain = [(name, "a column of that name") for name, kind in schema.items() if not isinstance(kind, pl.Struct)]
    found: dict[str, str] = {}
    for flat, what in [*plain, *fields]:
        if flat in found:
            raise DataError(
                f"Two columns would be called {flat!r}: {found[flat]}, and {what}.",
                allowed="each name once, where fields of objects are called `outer.inner`",
                remedy="rename one of them where the rows are written",
            )
        found[flat] = what
