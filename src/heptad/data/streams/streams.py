"""The streams of one project: landing one of them, what has landed, and what is in quarantine."""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from pathlib import Path

import polars as pl

from heptad.core.errors import InputError, NotFoundError
from heptad.core.secrets import reveal
from heptad.core.settings import duration
from heptad.data.sources.naming import called
from heptad.data.sources.schemes import is_stream
from heptad.data.sources.settings import SourceSettings
from heptad.data.sources.source import Place
from heptad.data.streams.addresses import parse_address
from heptad.data.streams.following import Until, follow, landed_folder, open_landing
from heptad.data.streams.landed import MESSAGE, ORDER, LandedTable
from heptad.data.streams.landing import POISON, poison_folder
from heptad.data.streams.locks import changing_alone, is_landing
from heptad.data.streams.records import Landed, StreamState
from heptad.data.streams.releasing import places_of, release
from heptad.data.streams.standing import LandingProcesses, Standing, last_problem
from heptad.data.streams.state import read_state


class Streams:
    """Those of `[sources.NAME]` whose `uri` is a stream."""

    def __init__(self, place: Place, sources: Mapping[str, SourceSettings]) -> None:
        self._place = place
        self._all = sources

    @cached_property
    def _sources(self) -> dict[str, SourceSettings]:
        """Told when one is asked for: a whole `uri` may be in the environment, and what is stored needs none."""
        return {name: one for name, one in self._all.items() if is_stream(reveal(one.uri))}

    def land(
        self,
        name: str,
        until: Until,
        tell: Callable[[Landed], None] = lambda _: None,
        *,
        accept_loss: bool = False,
    ) -> Landed:
        """Land a stream until it is time to stop; `tell` hears what became of each batch. See `follow` for errors."""
        name = self.named(name)
        with called(name):
            return follow(self._sources[name], self._place, until, tell, accept_loss=accept_loss)

    def release(self, name: str, positions: Collection[str] = ()) -> Landed:
        """Land the messages of its quarantine that can be read by now, or those at `PARTITION:POSITION`.

        `poison` of the answer are those that stay. No broker is asked. Raises `LandsElsewhereError` where a process
        lands the stream, `InputError` for what is no position, `NotFoundError` for what is not in quarantine.
        """
        name = self.named(name)
        settings, wanted = self._sources[name], places_of(positions)
        with called(name), changing_alone(self.folder(name), name, "stop it, release them, and start it again"):
            return release(open_landing(settings, self._place), wanted)

    def states(self) -> list[StreamState]:
        """What has come of every stream; no broker is asked."""
        return [self._state(name, settings) for name, settings in sorted(self._sources.items())]

    def standing(self) -> LandingProcesses:
        """A process for each stream that is to be landed always, while the block lasts."""
        always = {
            name: Standing(self.folder(name), duration(one.commit_every).total_seconds())
            for name, one in sorted(self._sources.items())
            if one.land == "always"
        }
        return LandingProcesses(self._place.root, always)

    def folder(self, name: str) -> Path:
        """Where a stream lands."""
        return landed_folder(self._sources[self.named(name)], self._place)

    def poison(self, name: str) -> pl.LazyFrame:
        """What is in quarantine of a stream, newest first: `reason`, `payload`, and what tells of the message."""
        _, poison = self._tables(self._sources[self.named(name)])
        return poison.scan().sort(ORDER, descending=True) if poison.exists() else pl.LazyFrame(schema=POISON)

    def named(self, name: str) -> str:
        """The stream of this name, or the only one where the name is empty; raises `NotFoundError`, `InputError`."""
        if name and name not in self._sources:
            raise NotFoundError("stream", name, self._sources)
        if not name and len(self._sources) != 1:
            raise InputError(
                f"Which stream? There are {len(self._sources)}: {', '.join(sorted(self._sources)) or 'none'}.",
                allowed='the NAME of [sources.NAME] with uri = "kafka://...", "nats://..." or "mqtt://..."',
            )
        return name or next(iter(self._sources))

    def _state(self, name: str, settings: SourceSettings) -> StreamState:
        rows, poison = self._tables(settings)
        landing = is_landing(rows.folder)
        return StreamState(
            name=name,
            where=parse_address(settings.uri).where,
            rows=rows.height(),
            poison=poison.height(),
            positions=rows.positions() if rows.exists() else {},
            table=str(rows.folder.relative_to(self._place.root)),
            always=settings.land == "always",
            landing=landing,
            last=read_state(rows.folder),
            problem="" if landing else last_problem(rows.folder),
        )

    def _tables(self, settings: SourceSettings) -> tuple[LandedTable, LandedTable]:
        folder = landed_folder(settings, self._place)
        return LandedTable(folder, MESSAGE), LandedTable(poison_folder(folder), POISON)
