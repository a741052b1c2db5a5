"""Rows of a Delta table that another program writes, as of now, a version or a moment."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
from blake3 import blake3
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from heptad.core.errors import DataError, SettingsError
from heptad.data import (
    Dates,
    Estimate,
    Place,
    Source,
    SourceSettings,
    SourceTable,
    conform,
    flattened,
    read_columns,
    read_times,
)


class DeltaSource:
    """`delta+file:FOLDER`, or the path of a folder that holds `_delta_log`; relative to the project's folder.

    Without `as_of`, the newest version when it is looked at. The watermark is the version: nothing is read for it.
    """

    def __init__(self, address: str, settings: SourceSettings, place: Place) -> None:
        path = address.removeprefix("//")
        self._name = path
        self._folder = (place.root / path).resolve()
        self._as_of = settings.as_of
        self._style = Dates(timezone=place.timezone, format=settings.dates)

    def digest(self) -> str:
        table = self._table()
        return blake3(f"{table.metadata().id}\0{table.version()}".encode()).hexdigest()

    def read(self, keep_text: Collection[str] = ()) -> SourceTable:
        table = self._table()
        with self._told():
            rows = pl.scan_delta(table)
            if rows.head(1).collect().is_empty():
                raise DataError(f"The Delta table {self._name} has no rows.", allowed="at least one row")
        flat, nested = flattened(rows)
        stored, repairs = conform(flat, {}, self._style)
        texts = [one for one, kind in stored.collect_schema().items() if kind == pl.String and one not in keep_text]
        typed, understood, found = read_columns(stored, {one: read_times(one, self._style) for one in texts})
        told = {"format": "delta", "version": f"{table.version()}"} | nested
        return SourceTable(
            rows=typed,
            understood=told | {f"column {one}": how for one, how in understood.items()},
            repairs=[*repairs, *found],
        )

    def estimate(self) -> Estimate | None:
        """What the log says of each file; writers may leave it out."""
        rows = self._table().get_add_actions(flatten=True).column("num_records").to_pylist()
        return None if None in rows else Estimate(sum(rows), "rows")

    def _table(self) -> DeltaTable:
        if not self._folder.is_dir():
            raise DataError(f"There is no folder {str(self._folder)!r}.", allowed="a folder that holds _delta_log")
        with self._told():
            table = DeltaTable(self._folder)
            if self._as_of != "":
                self._travel(table)
        return table

    def _travel(self, table: DeltaTable) -> None:
        newest = table.version()
        if isinstance(self._as_of, int):
            if not 0 <= self._as_of <= newest:
                raise DataError(f"The Delta table {self._name} has no version {self._as_of}.", allowed=f"0 to {newest}")
            table.load_as_version(self._as_of)
            return
        try:
            moment = datetime.fromisoformat(self._as_of)
        except ValueError as error:
            raise SettingsError(
                f"[sources.NAME] as_of = {self._as_of!r} is neither a version nor a moment.",
                allowed='12, or "2026-01-31T00:00:00Z"',
            ) from error
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        # Asked for a moment before its first version, Delta answers that one.
        oldest = min(one["timestamp"] for one in table.history())
        if moment.timestamp() * 1000 < oldest:
            began = datetime.fromtimestamp(oldest / 1000, UTC).isoformat()
            raise DataError(f"The Delta table {self._name} was not there at {self._as_of}.", allowed=f"from {began} on")
        table.load_as_version(moment)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except TableNotFoundError as error:
            raise DataError(f"{self._name} is not a Delta table.", allowed="a folder that holds _delta_log") from error
        except (DeltaError, pl.exceptions.PolarsError, OSError) as error:
            raise DataError(
                f"The Delta table {self._name} cannot be read: {str(error).splitlines()[0]}.",
                remedy="versions that were vacuumed are gone; look whether its files are whole",
            ) from error


if TYPE_CHECKING:
    _: type[Source] = DeltaSource
