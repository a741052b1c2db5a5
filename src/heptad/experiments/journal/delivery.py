"""Delivers entries of a journal to the store: whole entries in their order, each point and each change once."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from heptad.core.errors import RequestError, Retryable, WorkspaceError
from heptad.core.records import Id, Scalar
from heptad.core.store import Segment
from heptad.experiments.journal import entries
from heptad.experiments.journal.entries import Definition, Points, Update
from heptad.experiments.journal.messages import RunUpdate
from heptad.experiments.journal.target import RunTarget

LATEST_SECONDS = 2.0
"""How old the latest value of a metric, as it stands beside a run that goes on, may be."""


class Delivery(ABC):
    """How far a run has come; where its entries come from, a subclass says. Used by one thread at a time.

    `ended`: the entry that ends the run is in the store. Delivering everything again changes nothing.
    """

    def __init__(self, run: Id, target: Callable[[], RunTarget]) -> None:
        self.run = run
        self.ended = False
        self.points = 0
        self.newest = 0.0
        """When the last of the points was logged, in seconds since 1970."""
        self.file = ""
        """What the entries that are delivered now belong to; with an entry's place there it names a change."""
        self._open_target = target
        self._target: RunTarget | None = None
        self._series: dict[int, list[str | int]] = {}
        self._latest: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._told_at = 0.0

    def advance(self, now: float, *, last: bool = False) -> bool:
        """Ship what is there; answers whether anything was. `last`: with the latest values, whatever their age.

        Raises what the target raised; the same call goes on from where it was.
        """
        moved = False
        while self._step():
            moved = True
        if self._latest != self._told and (last or now - self._told_at >= LATEST_SECONDS):
            changed = {name: value for name, value in self._latest.items() if self._told.get(name) != value}
            self.reached().update(RunUpdate(run=self.run, at=now, attributes=_metrics(changed)))
            self._told, self._told_at = dict(self._latest), now
        return moved

    def reached(self) -> RunTarget:
        """The target, opened when it is first needed."""
        if self._target is None:
            self._target = self._open_target()
        return self._target

    def close(self) -> None:
        """Let go of the connection, where there is one."""
        if self._target is not None:
            self._target.close()

    @abstractmethod
    def _step(self) -> bool:
        """Deliver the next part; answers whether there was any."""

    @abstractmethod
    def _put(self, target: RunTarget, files: dict[str, str]) -> None:
        """Have the bytes of an entry's files in the store; the values are digests."""

    def _ship(self, found: list[tuple[int, entries.Entry]]) -> None:
        """Ship entries in order: all points first, as they are apart from everything else but the beginning."""
        target = self.reached()
        series = {number: list(one) for number, one in self._series.items()}
        latest = dict(self._latest)
        columns: dict[str, _Columns] = {}
        for _, entry in found:
            if isinstance(entry, Definition):
                series[entry.number] = [entry.key, entry.first]
            elif isinstance(entry, Points):
                for number, step, value in zip(entry.numbers, entry.steps, entry.values, strict=True):
                    one = series[number]
                    key, index = str(one[0]), int(one[1])
                    if key not in columns:
                        columns[key] = _Columns(index)
                    columns[key].add(step, value, entry.at)
                    one[1] = index + 1
                    latest[key] = value
            elif entry.begins is not None:
                self._put(target, entry.files)
                target.begin(entry.begins)
        if columns:
            target.append([one.segment(self.run, key) for key, one in columns.items()])
        for place, entry in found:
            if isinstance(entry, Update):
                self._write(target, entry, place, latest)
        self._series, self._latest = series, latest
        self.newest = max([self.newest, *(entry.at for _, entry in found if isinstance(entry, Points))])
        self.points += sum(len(one.steps) for one in columns.values())

    def _write(self, target: RunTarget, entry: Update, place: int, latest: dict[str, float]) -> None:
        if entry.begins is not None:
            return
        if entry.files:
            self._put(target, entry.files)
        target.update(
            RunUpdate(
                run=self.run,
                at=entry.at,
                key=f"{self.file}:{place}",
                actor=entry.actor,
                attributes=_metrics(latest) | entry.attributes if entry.ends else entry.attributes,
                files=entry.files,
                links=entry.links,
                event=entry.event,
            )
        )
        if entry.ends:
            self.ended, self._told = True, dict(latest)


class _Columns:
    """Points of one series on their way into a segment."""

    __slots__ = ("first", "steps", "times", "values")

    def __init__(self, first: int) -> None:
        self.first = first
        self.steps: list[int] = []
        self.values: list[float] = []
        self.times: list[float] = []

    def add(self, step: int, value: float, at: float) -> None:
        self.steps.append(step)
        self.values.append(value)
        self.times.append(at)

    def segment(self, run: Id, key: str) -> Segment:
        return Segment(record=run, key=key, first=self.first, steps=self.steps, values=self.values, times=self.times)


def may_pass(error: BaseException) -> bool:
    """Whether shipping may succeed later: the store is away, its disk full, a network in between.

    Also what a server refuses, perhaps since it is of another version: a training that is done must not fail by that.
    """
    return isinstance(error, Retryable | WorkspaceError | OSError | RequestError)


def _metrics(latest: dict[str, float]) -> dict[str, Scalar]:
    return {f"metrics.{name}": value for name, value in latest.items()}
