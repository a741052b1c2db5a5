"""What a stream has landed as a source: brought up to date first, then read as it was at that moment."""

import time
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec
import polars as pl

from heptad.core.errors import DataError
from heptad.core.settings import duration
from heptad.data.columns.column_types import Dates, read_columns, read_times
from heptad.data.progress import Estimate, note_done
from heptad.data.records import Repair
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place, Source, SourceTable
from heptad.data.streams.addresses import parse_address
from heptad.data.streams.fields import column_of
from heptad.data.streams.following import Until, follow, landed_folder, waiting_in
from heptad.data.streams.landed import MESSAGE, ORDER, LandedTable
from heptad.data.streams.landing import POISON, poison_folder
from heptad.data.streams.locks import LandsElsewhereError
from heptad.data.streams.records import Landed
from heptad.data.streams.times import OwnTimes

NEW_SECONDS = 60.0
"""How long what one process has landed counts as new."""
_REASONS = 3
"""So many reasons are told of why messages are in quarantine."""


class _Snapshot(msgspec.Struct, frozen=True):
    """What had landed at one moment."""

    table: LandedTable
    version: int
    poison: LandedTable
    poison_version: int
    digest: str
    positions: dict[int, int]


class StreamSource:
    """`kafka://`, `nats://` or `mqtt://` with a topic: its rows in the order in which they landed.

    Where nobody else lands it, what is waiting lands first, for as long as `drain`. The watermark is the position of
    each partition.
    """

    def __init__(self, address: str, settings: SourceSettings, place: Place) -> None:
        del address  # the settings name the scheme too
        self._address = parse_address(settings.uri)
        self._settings = settings
        self._place = place
        self._style = Dates(timezone=place.timezone, format=settings.dates)
        self._held: _Snapshot | None = None
        self._looked = 0.0

    def digest(self) -> str:
        return self._current().digest

    def read(self, keep_text: Collection[str] = ()) -> SourceTable:
        held = self._held or self._current()
        landed = held.table.scan(held.version)
        if landed.head(1).collect().is_empty():
            raise self._nothing()
        told_of = {name for name in MESSAGE if name != self._settings.time}
        rows = landed.sort(ORDER).select(name for name in landed.collect_schema() if name not in told_of)
        texts = [column_of(path) for path, kind in held.table.fields().items() if kind == "text"]
        read = {name: read_times(name, self._style) for name in texts if name not in keep_text}
        own, kinds = OwnTimes(held.table.folder, self._settings.time, self._style), rows.collect_schema()
        if self._settings.time not in keep_text and own.formats_of(kinds.get(self._settings.time, pl.Null())):
            read[self._settings.time] = own.reading()
        typed, understood, repairs = read_columns(rows, read)
        positions = ", ".join(f"{partition}: {position}" for partition, position in sorted(held.positions.items()))
        told = {"format": f"{self._settings.format or 'json'} of {self._address.scheme}", "positions": positions}
        return SourceTable(
            rows=typed,
            understood=told | {f"column {name}": how for name, how in understood.items()},
            repairs=[*_quarantined(held), *repairs],
        )

    def estimate(self) -> Estimate | None:
        """What is waiting; `None` where the broker does not say, and where another process lands it."""
        if not duration(self._settings.drain).total_seconds():
            return None
        with suppress(LandsElsewhereError):
            waiting = waiting_in(self._settings, self._place)
            return None if waiting is None else Estimate(waiting, "messages")
        return None

    def _current(self) -> _Snapshot:
        if self._held and time.monotonic() - self._looked < NEW_SECONDS:
            return self._held
        seconds = duration(self._settings.drain).total_seconds()
        if seconds:
            with suppress(LandsElsewhereError):  # somebody lands it all the time, which is as good
                follow(self._settings, self._place, Until(now=True, seconds=seconds), _note)
        folder = landed_folder(self._settings, self._place)
        rows, poison = LandedTable(folder, MESSAGE), LandedTable(poison_folder(folder), POISON)
        if not poison.exists():  # it is made last
            raise self._nothing()
        # The quarantine is committed first, so it is looked at last: it knows of all that has come before these rows.
        version, digest, positions = rows.version, rows.digest(), rows.positions()
        self._held = _Snapshot(rows, version, poison, poison.version, digest, positions)
        self._looked = time.monotonic()
        return self._held

    def _nothing(self) -> DataError:
        return DataError(
            f"Nothing has landed of {self._address.where}.",
            allowed="at least one message that is no poison",
            remedy="look what is in quarantine: heptad data stream poison",
        )


def _note(landed: Landed) -> None:
    note_done(landed.rows + landed.poison + landed.repeated, "messages")


def _quarantined(held: _Snapshot) -> list[Repair]:
    """How many messages are no rows, and why most of them are not."""
    reasons = held.poison.scan(held.poison_version).group_by("reason").len()
    counted = reasons.sort("len", "reason", descending=[True, False]).collect(engine="streaming")
    if counted.is_empty():
        return []
    return [Repair(rule="poison", rows=int(counted["len"].sum()), examples=counted["reason"].head(_REASONS).to_list())]


if TYPE_CHECKING:
    _: type[Source] = StreamSource
