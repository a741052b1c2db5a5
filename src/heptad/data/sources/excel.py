"""Reads one sheet of a book of Excel or OpenDocument."""

import re
import zipfile
from pathlib import Path

import polars as pl

from heptad.core.errors import DataError, WorkspaceError, nearest
from heptad.data.sources.compression import refuse_growth

_SHEET = re.compile(r"(?i)(.+\.(?:xlsx|xlsm|xlsb|xls|ods))!([^!/]+)$")
OLE = b"\xd0\xcf\x11\xe0"
"""How old books begin, and encrypted new ones."""


def split_sheet(address: str) -> tuple[str, str]:
    """An address and the sheet that it names.

    >>> split_sheet("book.xlsx!May 2024")
    ('book.xlsx', 'May 2024')
    """
    found = _SHEET.match(address)
    return (found[1], found[2]) if found else (address, "")


def read_sheet(path: Path, name: str, sheet: str, limit: int) -> tuple[pl.DataFrame, str]:
    """The rows of a sheet, the only one where none is named, and its name.

    Raises `DataError` for a book that is damaged, encrypted, or larger than `limit` bytes unpacked, and where the
    sheet is not there or must be chosen.
    """
    try:
        import fastexcel  # noqa: PLC0415 - an extra, which only such files need
    except ModuleNotFoundError as error:
        raise WorkspaceError(
            f"{name} is a book of Excel, which needs the package 'fastexcel'.", remedy="pip install 'heptad[excel]'"
        ) from error
    _refuse_bombs(path, name, limit)
    try:
        book = fastexcel.read_excel(str(path))
        sheets = book.sheet_names
        chosen = sheet or (sheets[0] if len(sheets) == 1 else "")
        if chosen not in sheets:
            raise DataError(
                f"{name} has no sheet {sheet!r}." if sheet else f"{name} has {len(sheets)} sheets.",
                allowed=nearest(sheet, sheets) or "at least one sheet",
                remedy=f'name one: uri = "{name}!{sheets[0]}"' if sheets and not sheet else "",
            )
        frame = book.load_sheet(chosen, schema_sample_rows=None).to_polars()
    except fastexcel.FastExcelError as error:
        raise DataError(
            f"{name} is not a readable book: {str(error).splitlines()[0].rstrip('.')}.",
            allowed="xlsx, xlsm, xlsb, xls, ods",
            remedy="save it again; it may be cut short",
        ) from error
    return frame, chosen


def _refuse_bombs(path: Path, name: str, limit: int) -> None:
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if head.startswith(OLE):
        if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
            raise DataError(f"{name} is encrypted.", allowed="books without a password", remedy="save it without one")
        return
    try:
        with zipfile.ZipFile(path) as archive:
            held = sum(one.file_size for one in archive.infolist())
    except zipfile.BadZipFile as error:
        raise DataError(
            f"{name} is not a readable book: {error}.", remedy="save it again; it may be cut short"
        ) from error
    refuse_growth(held, name, packed=path.stat().st_size, limit=limit)
