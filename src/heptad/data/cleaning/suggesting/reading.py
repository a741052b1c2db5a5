"""Reads a table for what it says, letter by letter: blanks, marks for missing and all."""

import math
from collections.abc import Collection, Iterator

import msgspec
import polars as pl

from heptad.core.errors import DataError
from heptad.core.memory import budget
from heptad.data.cleaning.suggesting.cells import Column
from heptad.data.columns.column_types import MOST
from heptad.data.columns.dialogues import every_nth, made, size_of
from heptad.data.sources.files import FileSource
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place, open_source

JUDGED = 150
"""Bytes that are needed for each cell, beside its text, while it is judged."""


class Cells(msgspec.Struct, frozen=True):
    """Cells of a table as text; empty: nothing there. Row r of `frame` is row `r * every` of the table's `rows`.

    `measured`: the columns that are floating-point numbers in the source.
    """

    frame: pl.DataFrame
    rows: int
    every: int = 1
    measured: frozenset[str] = frozenset()


def read_cells(settings: SourceSettings, place: Place) -> Cells:
    """The cells of a source, in the order of its rows: of every n-th row, where all are more than memory can judge.

    Of files nothing is tidied, and row 0 is the first line of values; other sources give texts as they are read. Raises
    `DataError` for what is no table.
    """
    source = open_source(msgspec.structs.replace(settings, nulls=()), place)
    rows = source.cells() if isinstance(source, FileSource) else source.read(_Everything()).rows
    kinds = rows.collect_schema()
    flat = [name for name, kind in kinds.items() if not kind.is_nested()]
    texts = rows.select(pl.col(flat).cast(pl.String).fill_null(""))
    height, each = size_of(texts)
    if not height:
        raise DataError(f"{settings.uri} has no rows.", allowed="at least one row")
    # A text is there as it was read and as it is known.
    every = math.ceil(height * (len(flat) * JUDGED + 2 * each) / budget())
    frame = texts.collect(engine="streaming") if every <= 1 else made(every_nth(texts, every))
    return Cells(frame, height, max(1, every), frozenset(name for name in flat if kinds[name].is_float()))


def types_as_read(settings: SourceSettings, place: Place, keep_text: Collection[str] = ()) -> dict[str, pl.DataType]:
    """Column to its type once a version is made of the source; those in `keep_text` stay text as written."""
    return dict(open_source(settings, place).read(keep_text).rows.collect_schema())


def leaves_numbers(column: Column) -> bool:
    """Whether a column of texts is read as numbers, so that a mark for nothing in it becomes missing by that."""
    there = ~column.values.is_in([*SourceSettings(uri="").nulls, ""])
    numbers = column.values.cast(pl.Float64, strict=False).is_not_null() & there
    return bool(column.counts[numbers.to_numpy()].sum() >= MOST * max(1, column.counts[there.to_numpy()].sum()))


class _Everything(frozenset[str]):
    """Columns of which each name is one."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())
