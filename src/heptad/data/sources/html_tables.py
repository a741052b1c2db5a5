"""Reads one table of an HTML page: its cells as a reader sees them, over the columns and rows that they span."""

import codecs
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from heptad.core.errors import DataError, WorkspaceError, nearest
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.sniffing import check_names

PAGE_BYTES = 64 << 20
"""The largest page, which is held in memory."""
CELLS = 10_000_000
"""The most cells that a table may come to; few bytes can say that they span many."""
SPAN = 1000
"""The most columns that a cell may span, as browsers have it."""
_TABLE = re.compile(r"(.+)#table=([^#]+)$")
_PAGE = re.compile(rb"(?is)^(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|table)\b")


class PageTable(msgspec.Struct, frozen=True, kw_only=True):
    """The cells of a table as text, null where there is none, and what is told about it."""

    cells: pl.DataFrame
    understood: dict[str, str]


def split_table(address: str) -> tuple[str, str]:
    """An address and the table of a page that it names: a number from 1, an id, or a caption.

    >>> split_table("https://example.org/rates.html#table=2")
    ('https://example.org/rates.html', '2')
    """
    found = _TABLE.match(address)
    return (found[1], found[2]) if found else (address, "")


def is_page(head: bytes) -> bool:
    """Whether a file begins as pages do."""
    return _PAGE.match(head) is not None


def read_page(path: Path, name: str, settings: SourceSettings) -> PageTable:
    """The table that `sheet` names, or the only one; texts that mean missing are null.

    Rows of headings become names of columns, those of several rows with a blank between. Raises `DataError` for a page
    without tables, where one must be chosen, and for a table that is too large.
    """
    if path.stat().st_size > PAGE_BYTES:
        raise DataError(
            f"{name} is a page of more than {PAGE_BYTES >> 20} MiB.", allowed="smaller ones, or another format"
        )
    tables = _tables(path, name, settings.encoding)
    place = _chosen(tables, name, settings.sheet)
    rows = list(_grid(tables[place], name))
    header = _header_rows(tables[place], rows, settings)
    width = max((len(row) for row in rows), default=0)
    names = list(settings.columns) or _names([[cell.text for cell in row] for row in rows[:header]], width)
    if len(names) != width:
        raise DataError(
            f"{name} has {width} columns, and [sources.NAME] columns names {len(names)}.", allowed=f"{width} names"
        )
    check_names(names, name)
    values = [[cell.text for cell in row] + [""] * (width - len(row)) for row in rows[header:]]
    nulls = {*settings.nulls, ""}
    kept = [[None if one in nulls else one for one in row] for row in values if any(row)]
    if not kept:
        raise DataError(f"{name} has a table without rows of values.", allowed="at least one")
    caption = _caption(tables[place])
    told = {"format": "html", "table": f"{place + 1}{f': {caption}' if caption else ''}"}
    schema = dict.fromkeys(names, pl.String())
    return PageTable(
        cells=pl.DataFrame(kept, schema=schema, orient="row"),
        understood=told | {"header": f"{header} row{'' if header == 1 else 's'}"},
    )


class _Cell(msgspec.Struct, frozen=True):
    text: str
    is_heading: bool


def _tables(path: Path, name: str, encoding: str) -> list[Any]:
    try:
        from lxml import etree, html  # noqa: PLC0415 - an extra, which only pages need
    except ModuleNotFoundError as error:
        raise WorkspaceError(
            f"{name} is an HTML page, which needs the package 'lxml'.", remedy="pip install 'heptad[html]'"
        ) from error
    data = path.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif not encoding and not re.search(rb"(?i)charset", data[:4096]):
        try:
            data.decode()
            encoding = "utf-8"
        except UnicodeDecodeError:
            encoding = "windows-1252"
    try:
        page = html.document_fromstring(data, parser=html.HTMLParser(encoding=encoding or None))
    except (etree.LxmlError, ValueError, LookupError) as error:
        raise DataError(f"{name} is not a readable page: {error}.", allowed="HTML") from error
    for one in page.iter("script", "style", "template", "noscript"):
        tail, one.tail = one.tail, None
        one.clear()
        one.tail = tail
    for one in page.iter("br"):
        one.tail = f" {one.tail or ''}"
    return [one for one in page.iter("table") if next(_rows(one), None) is not None]


def _chosen(tables: Sequence[Any], name: str, wanted: str) -> int:
    if not tables:
        raise DataError(f"{name} has no table.", allowed="a page with <table> in its text", remedy="look at its source")
    known = [_caption(one) or one.get("id", "") for one in tables]
    if not wanted and len(tables) == 1:
        return 0
    if wanted.isdecimal() and 1 <= int(wanted) <= len(tables):
        return int(wanted) - 1
    found = [place for place, one in enumerate(tables) if wanted and wanted in {one.get("id"), known[place]}]
    if len(found) == 1:
        return found[0]
    listed = [f"{place}{f' ({text[:40]})' if text else ''}" for place, text in enumerate(known, 1)]
    raise DataError(
        f"{name} has no table {wanted!r}." if wanted else f"{name} has {len(tables)} tables.",
        allowed=nearest(wanted, listed),
        remedy=f'name one by its number, id or caption: uri = "{name}#table=1"',
    )


def _caption(table: Any) -> str:
    found = table.find("caption")
    return "" if found is None else _text(found)


def _rows(table: Any) -> Iterator[Any]:
    """Its own rows, and not those of tables inside of its cells."""
    for part in table:
        if part.tag == "tr":
            yield part
        elif part.tag in {"thead", "tbody", "tfoot"}:
            yield from (row for row in part if row.tag == "tr")


def _grid(table: Any, name: str) -> Iterator[list[_Cell]]:
    """The cells of each row, those that span several being in each of them."""
    waiting: dict[int, tuple[int, _Cell]] = {}
    """Column to how many rows a cell from above still takes, and that cell."""
    total = 0
    rows = list(_rows(table))
    for number, row in enumerate(rows):
        cells: dict[int, _Cell] = {place: cell for place, (_, cell) in waiting.items()}
        waiting = {place: (left - 1, cell) for place, (left, cell) in waiting.items() if left > 1}
        place = 0
        for one in row:
            if one.tag not in {"td", "th"}:
                continue
            while place in cells:
                place += 1
            across, down = _span(one, "colspan", SPAN), _span(one, "rowspan", len(rows) - number)
            cell = _Cell(_text(one), one.tag == "th")
            total += across * down
            if total > CELLS:
                raise DataError(f"A table of {name} has more than {CELLS:,} cells.", allowed="smaller tables")
            for column in range(place, place + across):
                cells[column] = cell
                if down > 1:
                    waiting[column] = (down - 1, cell)
            place += across
        empty = _Cell("", is_heading=False)
        yield [cells.get(column, empty) for column in range(max(cells, default=-1) + 1)]


def _span(cell: Any, name: str, most: int) -> int:
    """How many rows or columns a cell takes; 0 rows are all that follow, and nonsense is one."""
    text = cell.get(name, "").strip()
    if not text.isdecimal():
        return 1
    return most if name == "rowspan" and int(text) == 0 else max(1, min(int(text), most))


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _header_rows(table: Any, rows: Sequence[Sequence[_Cell]], settings: SourceSettings) -> int:
    """How many rows name the columns: those in <thead>, or the first ones of nothing but headings."""
    if settings.header is not None and not settings.header:
        return 0
    head = sum(1 for part in table if part.tag == "thead" for row in part if row.tag == "tr")
    if not head:
        head = next((place for place, row in enumerate(rows) if not row or not all(one.is_heading for one in row)), 1)
    if not head and settings.header:
        head = 1
    return head


def _names(headings: Sequence[Sequence[str]], width: int) -> list[str]:
    """Names out of rows of headings; a heading that spans rows is said once."""
    padded = [[*row, *[""] * (width - len(row))] for row in headings]
    stacked = [[row[column] for row in padded if row[column]] for column in range(width)]
    joined = [" ".join([*texts[:1], *(now for before, now in pairwise(texts) if now != before)]) for texts in stacked]
    return [text or f"column_{place}" for place, text in enumerate(joined, 1)]
