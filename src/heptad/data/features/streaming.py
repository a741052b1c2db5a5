"""Brings what lands of a stream into the online store: each message counts once, whoever is killed when."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import msgspec
import polars as pl

from heptad.core.errors import ConflictError, HeptadError
from heptad.core.leases import Lease
from heptad.data.features.functions import KNOWN
from heptad.data.features.materialising import Materialised
from heptad.data.features.online import OnlineStore
from heptad.data.features.packing import micros, moment_of, namespace, tail_space
from heptad.data.features.pushing import FeatureWriter
from heptad.data.features.records import FeatureView
from heptad.data.features.views import View
from heptad.data.settings import ColumnType

ROWS_AT_ONCE = 100_000
"""About the most rows of one push; a commit of the landed table is never parted."""
IDLE_MICROS = 5_000_000
"""Where nothing lands, how far the store is gets written down so often."""
LOOK_SECONDS = 5.0
"""How often it is looked which views are in force."""
SENT = "stream_time"


_log = logging.getLogger("heptad.data")


class LandedPortions(Protocol):
    """What a stream has landed, commit by commit."""

    def refresh(self) -> int: ...

    @property
    def id(self) -> str: ...

    def counts(self, after: int) -> list[tuple[int, int]]: ...

    def rows(self, types: Mapping[str, ColumnType], after: int, until: int) -> pl.LazyFrame: ...


class Position(msgspec.Struct, frozen=True, array_like=True):
    """How much of a landed table is in the store: kept there, and moved in one act with the rows that it speaks of."""

    table: str
    commit: int = -1
    """Rows that landed with this commit or before are in, as far as they were known by `until`."""
    until: int = 0
    """Microseconds since 1970."""
    waits: int | None = None
    """When the first of their rows becomes known that was not by then."""


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What one look at what has landed came to, for one view."""

    view: str
    rows: int = 0
    entities: int = 0
    """Entities whose features were computed again."""
    left_out: int = 0
    """Rows without a key, or without a time that can be read; most of the latter are poison, and never come here."""
    delays: list[float] = []
    """Of each row, the seconds from when it was sent until it could be read online."""
    busy: bool = False
    """Somebody else writes the view now, or was killed a moment ago."""
    problem: str = ""
    """Why the view stays behind; it is tried again each time."""


class StreamedView:
    """One view of a stream; the caller holds the lease of its writer."""

    def __init__(self, store: OnlineStore, view: View, body: FeatureView, landed: LandedPortions) -> None:
        self._store, self._view, self._body, self._landed = store, view, body, landed
        self._writer = FeatureWriter(store, view, body)
        self._types: dict[str, ColumnType] = {one.name: one.type for one in (*body.entities, *body.inputs)}

    @property
    def position(self) -> Position | None:
        """How much is in the store; `None`: nothing that can be gone on from."""
        kept = self._writer.position
        return msgspec.msgpack.decode(kept, type=Position) if kept else None

    def rows_brought(self) -> pl.LazyFrame | None:
        """The rows that the store's features are made of; `None` where none were brought."""
        newest, position = self._landed.refresh(), self.position
        if newest < 0 or position is None or position.table != self._landed.id:
            return None
        return self._landed.rows(self._types, -1, position.commit).drop(() if SENT in self._types else SENT)

    def bring(self, now: datetime, lease: Lease | None = None, *, afresh: bool = False) -> Brought:
        """Bring in what has landed since the last time, as far as it is known by now.

        Killed at any point and done again, it goes on behind the last commit. Raises `ConflictError` where the lease
        was lost, and the errors of `LandedRows.rows`.
        """
        newest = self._landed.refresh()
        if newest < 0:
            return Brought(view=self._view.name)
        position = None if afresh else self.position
        if position is None or position.table != self._landed.id:
            position = self._emptied()
        begun, until = position, max(micros(now), position.until)
        done = Brought(view=self._view.name)
        if position.waits is not None and position.waits <= until:
            position, some = self._bring_due(position, until, lease)
            done = _sum(done, some)
        for commit in self._portions(position.commit, newest):
            position, some = self._bring_landed(position, commit, until, lease)
            done = _sum(done, some)
        if position is begun and until - begun.until >= IDLE_MICROS:
            self._push(pl.DataFrame(), msgspec.structs.replace(position, until=until), lease)
        return done

    def _emptied(self) -> Position:
        """A store without anything of this view: rows of unknown origin would count twice."""
        # Whoever dies half-way must not leave a position behind that speaks of rows which are gone.
        self._writer.forget_position()
        self._store.clear(tail_space(self._body.name, self._body.behaviour))
        self._store.clear(namespace(self._body.name, self._body.behaviour))
        return Position(self._landed.id)

    def _portions(self, after: int, newest: int) -> Iterator[int]:
        """Commits, each the last of a portion of about `ROWS_AT_ONCE` rows."""
        rows, last = 0, after
        for commit, count in self._landed.counts(after) if newest > after else []:
            if rows and rows + count > ROWS_AT_ONCE:
                yield last
                rows = 0
            rows, last = rows + count, commit
        if rows:
            yield last

    def _bring_due(self, position: Position, until: int, lease: Lease | None) -> tuple[Position, Brought]:
        """Rows that landed before, and have become known since."""
        rows = self._usable(self._landed.rows(self._types, -1, position.commit))
        due = rows.filter(pl.col(KNOWN).is_between(moment_of(position.until), moment_of(until), closed="right"))
        waits = rows.filter(pl.col(KNOWN) > moment_of(until)).select(pl.col(KNOWN).min())
        moved = Position(position.table, position.commit, until, _micros_of(waits.collect().item()))
        return moved, self._push(due.collect(), moved, lease)

    def _bring_landed(
        self, position: Position, commit: int, until: int, lease: Lease | None
    ) -> tuple[Position, Brought]:
        landed_rows = self._landed.rows(self._types, position.commit, commit).collect()
        rows = self._usable(landed_rows.lazy()).collect()
        due = rows.filter(pl.col(KNOWN) <= moment_of(until))
        later = rows.filter(pl.col(KNOWN) > moment_of(until))[KNOWN].min()
        waits = [one for one in (position.waits, _micros_of(later)) if one is not None]
        moved = Position(position.table, commit, until, min(waits, default=None))
        brought = self._push(due, moved, lease)
        landed = time.time()
        delays = (landed - due[SENT].dt.epoch("ms") / 1000).to_list()
        return moved, msgspec.structs.replace(brought, delays=delays, left_out=len(landed_rows) - len(rows))

    def _usable(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """The rows that can ever be known, as `View.prepared` has it, with when they are."""
        return rows.with_columns(self._view.known_time().alias(KNOWN)).drop_nulls([*self._view.settings.on, KNOWN])

    def _push(self, rows: pl.DataFrame, position: Position, lease: Lease | None) -> Brought:
        packed = msgspec.msgpack.encode(position)
        pushed = self._writer.push(rows if len(rows) else [], packed, position.until, lease)
        return Brought(view=self._view.name, rows=len(rows), entities=pushed.entities)


def _micros_of(moment: object) -> int | None:
    return micros(moment) if isinstance(moment, datetime) else None


def _sum(one: Brought, other: Brought) -> Brought:
    return msgspec.structs.replace(
        one,
        rows=one.rows + other.rows,
        entities=one.entities + other.entities,
        left_out=one.left_out + other.left_out,
        delays=[*one.delays, *other.delays],
    )


Held = Callable[[str], AbstractContextManager[Lease]]
"""The lease of a view's writer, by the view's name."""
Now = Callable[[], datetime]


class StreamedViews:
    """All views of one stream, brought along as it lands; one that cannot be does not hold up the others."""

    def __init__(
        self, in_force: Callable[[], dict[str, StreamedView]], held: Held, now: Callable[[], datetime]
    ) -> None:
        self._in_force, self._held, self._now = in_force, held, now
        self._views: Mapping[str, StreamedView] = {}
        self._looked = -LOOK_SECONDS

    def bring(self) -> list[Brought]:
        """Bring what has landed into every view that is in force now."""
        try:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._views, self._looked = self._in_force(), time.monotonic()
        except HeptadError as error:
            return [Brought(view="", problem=error.problem)]
        return [self._brought(name, view) for name, view in self._views.items()]

    def _brought(self, name: str, view: StreamedView) -> Brought:
        try:
            with self._held(name) as lease:
                return view.bring(self._now(), lease)
        except ConflictError:
            return Brought(view=name, busy=True)
        except HeptadError as error:
            return Brought(view=name, problem=error.problem)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a view, the stream has to land on
            _log.exception("the view %s cannot be brought along", name)
            return Brought(view=name, problem=f"{type(error).__name__}; see the log of the process that lands")


def as_materialised(brought: Brought, since: Position | None, until: datetime) -> Materialised:
    """What was brought, told as any materialisation is."""
    return Materialised(
        view=brought.view,
        entities=brought.entities,
        since=moment_of(since.until) if since else None,
        until=max(until, moment_of(since.until)) if since else until,
    )
