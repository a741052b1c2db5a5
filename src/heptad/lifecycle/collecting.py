"""When the loop collects: every so often, and after a time in which nobody did."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from heptad.core import graph
from heptad.core.records import Record
from heptad.core.settings import duration
from heptad.core.workspace import Workspace
from heptad.data import CatchUp, Data, DatasetVersion

LATE = 0.1
"""A moment that passed this share of the interval ago was missed."""
COLLECTED = "collected_until"
"""Attribute of the latest version: up to when there was nothing newer."""


class Collector:
    """Collects versions as `[data] every` and `catch_up` say.

    What was done is read off the records, so that a process that is killed in between neither forgets nor repeats one.
    """

    def __init__(self, workspace: Workspace, data: Data) -> None:
        self._workspace = workspace
        self._data = data

    def collect(self, now: datetime) -> Iterator[Record[DatasetVersion]]:
        """Every version that is new, made as the next one is asked for."""
        if not self._data.every:
            return
        latest = self._data.latest()
        moments = due_moments(_known_until(latest), duration(self._data.every), now, self._data.catch_up)
        for moment in moments:
            version = self._data.collect(until=moment)
            if latest is None or version.id != latest.id:
                yield version
            if version.body.until < moment:
                # Nothing is new, which the next turn must not look for again.
                seen = {COLLECTED: moment.isoformat()}
                graph.set_attributes(self._workspace, version.id, seen, "data.nothing_new")
            latest = version


def due_moments(since: datetime | None, every: timedelta, now: datetime, catch_up: CatchUp) -> list[datetime]:
    """The moments to collect for by now, oldest first, where the last one was `since` (`None`: there was none).

    `latest`: now, once, however many were missed. `all`: each one that is due. `skip`: the newest one, unless it was
    missed too.
    """
    if since is None:
        return [now]
    passed = (now - since) // every
    if passed < 1:
        return []
    if catch_up == "latest":
        return [now]
    newest = since + passed * every
    if catch_up == "skip":
        return [newest] if now - newest <= LATE * every else []
    return [since + place * every for place in range(1, passed + 1)]


def _known_until(latest: Record[DatasetVersion] | None) -> datetime | None:
    if latest is None:
        return None
    seen = latest.attributes.get(COLLECTED)
    return max(latest.body.until, datetime.fromisoformat(str(seen))) if seen else latest.body.until
