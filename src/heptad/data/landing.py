"""Lands a stream, and brings the features of its views online with each commit."""

import time
from collections.abc import Callable
from pathlib import Path

from heptad.data.features.streaming import Brought, StreamedViews
from heptad.data.streams.following import Until
from heptad.data.streams.records import Landed, LandingState, ViewOnline
from heptad.data.streams.state import Delays, state_of, write_state
from heptad.data.streams.streams import Streams

PATIENCE = 15.0
"""Seconds that the end waits for a view which somebody else writes, or for the lease of a process that was killed."""
TELL_SECONDS = 1.0
"""How often the process says of itself how it does."""


class Landing:
    """One process that lands a stream: what it has landed, and how fresh its views are."""

    def __init__(self, folder: Path, views: StreamedViews) -> None:
        self._folder, self._views = folder, views
        self._landed = Landed()
        self._delays: dict[str, Delays] = {}
        self._online: dict[str, ViewOnline] = {}
        self._told = -TELL_SECONDS

    @property
    def state(self) -> LandingState:
        return state_of(self._landed, self._online.values())

    def bring(self, landed: Landed) -> bool:
        """After each commit, and where nothing came: rows become known also by waiting. Whether no view was busy."""
        self._landed += landed
        brought = self._views.bring()
        self._online = {one.view: self._told_of(one) for one in brought}
        if time.monotonic() - self._told >= TELL_SECONDS and self._folder.is_dir():
            write_state(self._folder, self.state)
            self._told = time.monotonic()
        return not any(one.busy for one in brought)

    def end(self) -> LandingState:
        """What has landed is brought in, also where that takes a moment of waiting; what came of everything."""
        ends = time.monotonic() + PATIENCE
        while not self.bring(Landed()) and time.monotonic() < ends:
            time.sleep(0.2)
        if self._folder.is_dir():
            write_state(self._folder, self.state)
        return self.state

    def _told_of(self, brought: Brought) -> ViewOnline:
        delays = self._delays.setdefault(brought.view, Delays())
        delays.add(brought.rows, brought.delays, brought.left_out)
        return delays.told(brought.view, brought.problem)


def land_online(
    streams: Streams,
    views: StreamedViews,
    name: str,
    until: Until,
    tell: Callable[[Landed], None],
    *,
    accept_loss: bool = False,
) -> LandingState:
    """Land a stream until it is time to stop, its views brought along; `tell` hears what became of each batch.

    See `follow` for errors. A view that cannot be brought along stays behind, and says why.
    """
    landing = Landing(streams.folder(name), views)
    landing.bring(Landed())  # whoever landed before may have died in between

    def told(landed: Landed) -> None:
        landing.bring(landed)
        tell(landed)

    streams.land(name, until, told, accept_loss=accept_loss)
    return landing.end()
