"""Reads a table for what it says, letter by letter: blanks, marks for missing and all."""

from collections.abc import Iterator

import msgspec
import polars as pl

from heptad.core.errors import DataError
from heptad.data.sources.files import FileSource
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place, open_source


def read_cells(settings: SourceSettings, place: Place) -> pl.DataFrame:
    """The cells of a source as text, in the order of its rows; empty: nothing there.

    Of files nothing is tidied, and row 0 is the first line of values; other sources give texts as they are read. Raises
    `DataError` for what is no table.
    """
    source = open_source(msgspec.structs.replace(settings, nulls=()), place)
    rows = source.cells() if isinstance(source, FileSource) else source.read(_Everything()).rows
    flat = [name for name, kind in rows.collect_schema().items() if not kind.is_nested()]
    frame = rows.select(pl.col(flat).cast(pl.String).fill_null("")).collect(engine="streaming")
    if frame.is_empty():
        raise DataError(f"{settings.uri} has no rows.", allowed="at least one row")
    return frame


class _Everything(frozenset[str]):
    """Columns of which each name is one."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())
