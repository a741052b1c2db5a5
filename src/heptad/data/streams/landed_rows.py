"""What a stream has landed, commit by commit, in the types that its source was read with before."""

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from heptad.core.errors import DataError, RefusedError
from heptad.data.columns.column_types import STORED, Dates, Reading, as_moments, read_columns
from heptad.data.columns.dates import read_texts
from heptad.data.columns.dialogues import Asking, Dialogue, converse
from heptad.data.settings import ColumnType
from heptad.data.streams.landed import MESSAGE, LandedTable
from heptad.data.streams.times import OwnTimes, time_values

COMMIT, SENT = "stream_commit", "stream_time"
"""Columns that every landed row has: the commit that it came with, and when it was sent."""


class LandedRows:
    """Rows of one stream by the commits that they landed with; safe to read while another process lands."""

    def __init__(
        self, folder: Path, time: str, style: Dates, without: Callable[[pl.LazyFrame], pl.LazyFrame] = lambda rows: rows
    ) -> None:
        """`time`: the column of the source's own times; `without` leaves out the rows of people who were erased."""
        self._folder, self._time, self._style, self._without = folder, time, style, without
        self._table = LandedTable(folder, MESSAGE)
        self._formats: dict[tuple[str, pl.DataType], list[str]] = {}

    def refresh(self) -> int:
        """The newest commit; -1 where nothing has landed. Rows are those of this moment from now on."""
        self._table = LandedTable(self._folder, MESSAGE)
        return self._table.version if self._table.exists() else -1

    @property
    def id(self) -> str:
        """What tells this table from one that is made in its place."""
        return self._table.id

    def counts(self, after: int) -> list[tuple[int, int]]:
        """Each commit after this one that has rows, with how many."""
        rows = self._table.scan().filter(pl.col(COMMIT) > after)
        return rows.group_by(COMMIT).len().sort(COMMIT).collect(engine="streaming").rows()

    def rows(self, types: Mapping[str, ColumnType], after: int, until: int) -> pl.LazyFrame:
        """The rows of commits in (after, until], with these columns as these types, and `SENT`.

        A time that cannot be read is missing, as the others can. Raises `RefusedError` where a column has another type
        by now, `DataError` where none of the source's own times can be read.
        """
        landed = self._without(self._table.scan().filter(pl.col(COMMIT).is_between(after, until, closed="right")))
        schema = landed.collect_schema()
        readings: dict[str, Dialogue[Reading]] = {}
        for name, kind in types.items():
            if name not in schema or (schema[name] != STORED[kind] and kind != "datetime"):
                raise RefusedError(
                    f"The column {name!r} of what has landed is {schema.get(name, 'gone')}, and was {kind}.",
                    remedy="look at the difference and apply it: heptad data features apply",
                )
            if schema[name] != STORED[kind]:
                readings[name] = self._times(name, schema[name])
        chosen = landed.select(list(dict.fromkeys([*types, SENT])))
        # Values are looked at to be read: those of this portion, not of all that ever landed.
        return read_columns(chosen.collect(engine="streaming").lazy(), readings)[0] if readings else chosen

    def _times(self, name: str, kind: pl.DataType) -> Dialogue[Reading]:
        formats = self._formats.get((name, kind))
        if not formats and name == self._time:
            formats = OwnTimes(self._folder, name, self._style).formats_of(kind)
        if not formats and kind != pl.String:
            return (yield from as_moments(name, kind, self._style))
        if not formats:
            formats = self._formats_of(name)
        if formats:
            self._formats[name, kind] = formats
        if not formats:
            if name == self._time:
                yield from _refused(name)
            return Reading(values=pl.lit(None, STORED["datetime"]))
        return Reading(values=time_values(name, formats, self._style.timezone))

    def _formats_of(self, name: str) -> list[str]:
        """How the times of a column are written, by all that has landed: a few could be read in two ways."""
        (times,) = converse(
            self._table.scan().select(name), [read_texts(pl.col(name), self._style.timezone, self._style.format)]
        )
        if times is not None and times.ambiguous:
            raise DataError(
                f"The times in {name!r} can be read with day before month and with month before day.",
                remedy='say which in [sources.NAME]: dates = "%d/%m/%Y" or dates = "%m/%d/%Y"',
            )
        return [one for one, read in times.formats.items() if read] if times else []


def _refused(name: str) -> Dialogue[None]:
    """Raises `DataError` where there is a time, and no way is known to read any."""
    told = yield Asking(samples={"unread": pl.col(name).drop_nulls().head(1)})
    shown = told.samples["unread"].to_list()
    if shown:
        raise DataError(
            f"{name} = {shown[0]!r} cannot be read as a time, and nor can most that landed before.",
            allowed="times that are all written alike",
            remedy='say how they are written in [sources.NAME]: dates = "..."',
        )
