"""A table or a query of a database as a source: brought up to date in the workspace, then scanned from there."""

import logging
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeVar

import msgspec
import polars as pl
from blake3 import blake3

from heptad.adapters.databases.addresses import find_database, identity
from heptad.adapters.databases.estimates import estimated_rows
from heptad.adapters.databases.failures import LostConnectionError
from heptad.adapters.databases.pieces import Held, Piece, Pieces, PieceWriter, merged, position_of
from heptad.adapters.databases.reading import batches
from heptad.adapters.databases.sessions import Session, snapshot
from heptad.adapters.databases.statements import statement_of
from heptad.adapters.databases.values import Converter
from heptad.core.errors import DataError, nearest
from heptad.core.settings import duration
from heptad.core.workspace import FOLDER
from heptad.data import (
    Dates,
    Estimate,
    Place,
    Repair,
    Source,
    SourceSettings,
    SourceTable,
    note_done,
    read_columns,
    read_times,
)

PAUSE, LONGEST_PAUSE = 2.0, 60.0
"""Seconds before a database that was gone is asked again; each further pause is twice as long. Four of them, which
`retries` says unless it is set, are 30 s: as long as a server may take to start again."""
NEW_SECONDS = 60.0
"""How long what one process has read counts as new, unless the settings say so."""

T = TypeVar("T")
_log = logging.getLogger("heptad.data")


class _ChangedError(Exception):
    """The columns are not what they were: what is held has to be read from the start."""


class DatabaseSource:
    """`dialect://user@host/database` with `table` or `query`: rows in the order of the cursor and the primary key.

    Without `cursor`, bringing it up to date reads everything; with one, rows from its greatest value on. Everything
    is read in one transaction that sees one state and cannot write. Raises `DataError` and `SettingsError` for what
    cannot be asked, `UnavailableError` for a database that is locked, takes longer than
    `read_timeout`, or is gone also after `retries` attempts more.
    """

    def __init__(self, address: str, settings: SourceSettings, place: Place) -> None:
        del address  # the settings name the driver too
        self._settings = settings
        self._address = find_database(settings, place)
        self._statement = statement_of(settings, self._address.dialect)
        self._style = Dates(timezone=place.timezone, format=settings.dates)
        asked = (identity(self._address), settings.table, settings.query, settings.cursor, *settings.key)
        name = blake3("\0".join((*asked, place.timezone)).encode()).hexdigest(length=12)
        self._pieces = Pieces(place.root / FOLDER / "sources" / name)
        self._held: Held | None = None
        self._looked = 0.0

    def digest(self) -> str:
        return self._current().digest()

    def read(self, keep_text: Collection[str] = ()) -> SourceTable:
        held = self._held or self._current()
        if not held.pieces:
            raise DataError(f"The {self._statement.what} in {self._address.where} has no rows.", allowed="one or more")
        rows = self._pieces.scan(held)
        told: dict[str, str] = {}
        found: list[Repair] = []
        if self._address.dialect == "sqlite":
            # It has no type for times.
            texts = [name for name, kind in held.types.items() if kind == "text" and name not in keep_text]
            rows, understood, found = read_columns(rows, {name: read_times(name, self._style) for name in texts})
            told = {f"column {name}": how for name, how in understood.items()}
        return SourceTable(rows=rows, understood=held.understood | told, repairs=[*held.repairs(), *found])

    def estimate(self) -> Estimate | None:
        """The planner's guess: of what is past the cursor, where there is one; SQLite knows only of everything."""
        rows = self._repeated(self._estimated)
        return None if rows is None else Estimate(rows, "rows")

    def _estimated(self) -> int | None:
        held = self._pieces.load()
        with snapshot(self._address, duration(self._settings.read_timeout).total_seconds()) as session:
            names = self._statement.names(session.connection)
            # Without an order, which costs nothing to explain and changes no number.
            select = self._statement.select(names, [], held.past if held else None)
            return estimated_rows(session.connection, self._statement, select)

    def _current(self) -> Held:
        """What is held, brought up to date unless it was just now."""
        wanted = self._settings.refresh
        if self._held and not wanted and time.monotonic() - self._looked < NEW_SECONDS and not self._address.path:
            return self._held
        with self._pieces.locked():
            held = self._pieces.load()
            stamp = self._address.stamp()
            lasting = duration(wanted).total_seconds() if wanted else 0.0
            is_new = stamp == held.stamp if held and stamp else held and time.time() - held.read_at < lasting
            if held is None or not is_new:
                held = self._brought(held, stamp)
        self._held, self._looked = held, time.monotonic()
        return held

    def _brought(self, held: Held | None, stamp: str) -> Held:
        """What the database holds now, committed; begun again where the connection is lost."""
        old = held if held and held.position else None

        def attempt() -> Held:
            self._pieces.clear(held)
            try:
                return self._read(old, held, stamp)
            except _ChangedError:
                self._pieces.clear(held)
                return self._read(None, held, stamp)

        return self._repeated(attempt)

    def _repeated(self, attempt: Callable[[], T]) -> T:
        """What the first attempt comes to that keeps its connection; after `retries` more the error is raised."""
        for lost in range(self._settings.retries):
            try:
                return attempt()
            except LostConnectionError as error:
                pause = min(PAUSE * 2**lost, LONGEST_PAUSE)
                _log.warning("%s It is asked again in %.0f s.", error.problem, pause)
                time.sleep(pause)
        return attempt()

    def _read(self, old: Held | None, held: Held | None, stamp: str) -> Held:
        """Everything, or what is past the position of `old`, committed in the place of what is `held`.

        Raises `_ChangedError` where the columns are others than those of `old`.
        """
        cursor = self._statement.cursor
        converter = Converter(self._style, old.dtypes() if old else None)
        writer, keys = PieceWriter(self._pieces, cursor), []
        with snapshot(self._address, duration(self._settings.read_timeout).total_seconds()) as session:
            names = self._statement.names(session.connection)
            if old and old.names != names:
                raise _ChangedError
            self._check(session, names)
            primary = self._statement.primary_key(session.connection)
            key = self._settings.key or primary
            order = list(dict.fromkeys([*([cursor] if cursor else []), *primary]))
            select = self._statement.select(names, order, old.past if old else None)
            for batch in batches(session, select, cursor, converter):
                writer.add(batch.rows, batch.cursor_values)
                note_done(len(batch.rows), "rows")
                if old and key and key != [cursor]:
                    keys.append(batch.rows.select(key))
        made = Held(
            pieces=self._joined(old, writer.close(), keys),
            position=self._position(writer) if cursor and writer.rows else None,
            stamp=stamp,
            read_at=time.time(),
            understood={"format": f"{self._statement.what.split()[0]} of {self._address.dialect}"}
            | (old.understood if old else {})
            | converter.understood,
            as_text=sorted({*converter.as_text, *(old.as_text if old else ())}),
        )
        if old and not writer.rows:
            made = msgspec.structs.replace(made, position=old.position)
        if held and made.digest() == held.digest():
            made = msgspec.structs.replace(held, stamp=stamp, read_at=made.read_at)
        return self._pieces.commit(made, held)

    def _joined(self, old: Held | None, pieces: list[Piece], keys: list[pl.DataFrame]) -> list[Piece]:
        """The pieces that stay, and the new ones.

        Rows at the position have been read again, and rows with the key of a new one are an earlier state of it.
        """
        if old is None:
            return pieces
        kept = [piece for piece in old.pieces if not piece.tail]
        if merged([old.types, *(piece.types for piece in pieces)]) != old.types:
            raise _ChangedError
        if keys and kept:
            kept = self._pieces.without(kept, pl.concat(keys, how="vertical_relaxed").unique())
        return [*kept, *pieces]

    def _check(self, session: Session, names: list[str]) -> None:
        for name in self._settings.key:
            if name not in names:
                raise DataError(
                    f"There is no column {name!r} in the {self._statement.what}, which [sources.NAME] key names.",
                    allowed=nearest(name, names, most=30),
                )
        if self._statement.cursor and session.connection.execute(self._statement.without_cursor()).first():
            raise DataError(
                f"The cursor {self._statement.cursor!r} is missing in some rows of the {self._statement.what}.",
                allowed="a column that has a value in every row and only grows",
                remedy="name another, or leave those rows out in [sources.NAME] query",
            )

    def _position(self, writer: PieceWriter) -> tuple[str, str]:
        position = position_of(writer.first_of_tail)
        if position is None:
            raise DataError(
                f"The cursor {self._statement.cursor!r} holds {type(writer.first_of_tail).__name__}.",
                allowed="numbers, text, dates or times",
            )
        return position


if TYPE_CHECKING:
    _: type[Source] = DatabaseSource
