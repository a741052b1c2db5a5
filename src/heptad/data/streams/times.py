"""How the source's own times are written in a stream: settled by what has landed, and held to by what lands later."""

from collections.abc import Sequence
from functools import partial
from itertools import product
from pathlib import Path

import msgspec
import polars as pl

from heptad.core.files import write_atomically
from heptad.data.columns.column_types import STORED, Dates, Reading
from heptad.data.columns.dates import CLOCKS, LIKELY, UNITS, ZONES, moments_in, parsed, read_texts
from heptad.data.columns.dialogues import Asking, Dialogue, converse
from heptad.data.records import Repair
from heptad.data.streams.landed import LandedTable

ENOUGH = 100
"""Times that must have landed before it is settled how they are written."""
SAMPLE = 1_000
"""The most that are looked at for it."""
_SURE = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %b %Y", "%b %d, %Y")
"""Days in which nobody takes the day for the month."""
_OTHERS = ["".join(parts) for parts in product(_SURE, CLOCKS, ZONES) if parts[1] or not parts[2]]
UNREADABLE = "cannot be read as a time, as those before it are written"
_FILE = "_landing.times.json"
"""Names that begin like this are no part of a Delta table."""


class _Settled(msgspec.Struct, frozen=True, kw_only=True):
    column: str
    given: str
    """The format of the settings, where there is one."""
    formats: list[str]
    """Those of texts, most frequent first; or the unit of numbers, one of `UNITS`."""


class OwnTimes:
    """The times of one landed table, in the column that `[sources.NAME] time` names: texts, or numbers.

    A message is no poison for its time before it is settled how times are written, by at least `ENOUGH` rows of which
    most can be read in one way. It is kept beside the table before anything is decided by it, so that a batch which
    comes again is decided as before. A change to another unmistakable way of writing texts is no poison either; a
    number says by its size which unit it is of, and is poison where that is another than the settled one, or none.
    """

    def __init__(self, folder: Path, column: str, style: Dates) -> None:
        self._path, self._column, self._style = folder / _FILE, column, style
        self._tried = 0
        self._formats = self._read()

    def settle(self, table: LandedTable) -> bool:
        """Settle it where that can be done by now, and whether it is settled.

        To be called while nothing that is half done has to be finished.
        """
        kind = pl.Schema(table.table.schema()).get(self._column, pl.Null())
        if self.formats_of(kind):
            return True
        if self._tried >= SAMPLE or not (kind == pl.String or kind.is_numeric()):
            return False
        written = table.scan().select(pl.col(self._column).drop_nulls().head(SAMPLE)).collect(engine="streaming")
        if len(written) < max(ENOUGH, 2 * self._tried, 1):
            return False
        self._tried = len(written)
        self._formats = self._ways(written) if kind == pl.String else _units(written)
        if self._formats:
            settled = _Settled(column=self._column, given=self._style.format, formats=self._formats)
            write_atomically(self._path, msgspec.json.encode(settled))
        return bool(self._formats)

    def formats_of(self, kind: pl.DataType) -> list[str]:
        """What is settled of a column of this dtype, most frequent first; empty: nothing is."""
        of_numbers = not UNITS.keys().isdisjoint(self._formats)
        return self._formats if (kind.is_numeric() if of_numbers else kind == pl.String) else []

    def unread(self, rows: pl.DataFrame) -> pl.Series:
        """Which rows have a time that cannot be read; none as long as it is not settled how times are written."""
        formats = self.formats_of(rows.schema.get(self._column, pl.Null()))
        if not formats:
            return pl.repeat(value=False, n=len(rows), dtype=pl.Boolean, eager=True)
        written = rows[self._column]
        return times_of(written, formats, self._style.timezone).is_null() & written.is_not_null()

    def reading(self) -> Dialogue[Reading]:
        """All that has landed as times, by the settled ways, so that a table and features online read it alike."""
        written = pl.col(self._column)
        values = time_values(self._column, self._formats, self._style.timezone)
        told = yield Asking({"unread": (values.is_null() & written.is_not_null()).sum()})
        unread = told.values["unread"]
        repairs = [Repair(rule="not_a_time", column=self._column, cells=unread)] if unread else []
        return Reading(values=values, understood=f"times as {self._formats[0]}", repairs=repairs)

    @property
    def reason(self) -> str:
        """Why such a row is poison; without its value, which may be personal."""
        return f"field {self._column} {UNREADABLE}: {self._formats[0]}"

    def _ways(self, texts: pl.DataFrame) -> list[str]:
        (times,) = converse(texts, [read_texts(pl.col(self._column), self._style.timezone, self._style.format)])
        if times is None or times.ambiguous or times.unread > (1 - LIKELY) * len(texts):
            return []
        return list(times.formats)

    def _read(self) -> list[str]:
        try:
            settled = msgspec.json.decode(self._path.read_bytes(), type=_Settled)
        except FileNotFoundError:
            return []
        return settled.formats if (settled.column, settled.given) == (self._column, self._style.format) else []


def _units(numbers: pl.DataFrame) -> list[str]:
    """The unit of nearly all of the numbers."""
    counted = numbers.select(moments_in(pl.nth(0), unit).count().alias(unit) for unit in UNITS).row(0, named=True)
    most = max(counted, key=lambda unit: counted[unit])
    return [most] if counted[most] >= LIKELY * len(numbers) else []


def time_values(column: str, formats: Sequence[str], timezone: str) -> pl.Expr:
    """`times_of` a column."""
    read = partial(times_of, formats=formats, timezone=timezone)
    return pl.col(column).map_batches(read, return_dtype=STORED["datetime"], is_elementwise=True)


def times_of(written: pl.Series, formats: Sequence[str], timezone: str) -> pl.Series:
    """Times in UTC by these formats; where none of them fits, by one that can be read in one way only; else null.

    Of numbers the only format is their unit, and those of another are null.
    """
    if written.dtype.is_numeric():
        (unit,) = formats
        read_number = moments_in(pl.col("number"), unit)
        return written.to_frame("number").select(read_number).to_series().alias(written.name)
    texts = written
    read = partial(_times_by, timezone=timezone)
    times = read(texts, formats)
    missed = times.is_null() & texts.is_not_null()
    if missed.any():
        places = missed.arg_true()
        times = times.scatter(places, read(texts.gather(places), _OTHERS))
    return times


def _times_by(texts: pl.Series, formats: Sequence[str], timezone: str) -> pl.Series:
    read = texts.to_frame("text").select(parsed(pl.col("text"), formats, timezone).cast(STORED["datetime"]))
    return read.to_series().alias(texts.name)
