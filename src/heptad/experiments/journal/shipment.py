"""Moves one journal into the store: whole entries in their order, each point and each change once."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from heptad.core.errors import IntegrityError, Retryable, WorkspaceError
from heptad.core.records import Attribute, Change, Id, Link, NewEvent, Scalar
from heptad.core.store import Segment
from heptad.experiments.journal import entries
from heptad.experiments.journal.entries import HEADER, MAGIC, Definition, Points, Update
from heptad.experiments.journal.journal import FILES, files_of
from heptad.experiments.journal.target import RunTarget

AT_ONCE = 8 << 20
"""Bytes of a journal that are read and shipped at a time."""
LATEST_SECONDS = 2.0
"""How old the latest value of a metric, as it stands beside a run that goes on, may be."""


class Shipment:
    """How far a journal has come. Made anew over the same journal it ships everything again, which changes nothing.

    `ended`: the entry that ends the run is in the store. Not safe to use from several threads at once.
    """

    def __init__(self, folder: Path, target: Callable[[], RunTarget]) -> None:
        self.folder = folder
        self.run: Id = folder.name.rpartition(".")[0]
        self.ended = False
        self.points = 0
        self.newest = 0.0
        """When the last of the points was logged, in seconds since 1970."""
        self._open_target = target
        self._target: RunTarget | None = None
        self._files = files_of(folder)
        self.file = ""
        """The name that the file that is shipped now calls itself by."""
        self._offset = 0
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
            self._reached().write(Change(attributes=self._attributes(_metrics(changed)), at=_moment(now)))
            self._told, self._told_at = dict(self._latest), now
        return moved

    def _step(self) -> bool:
        """Ship the next part of a file; goes on to the next file where this one has another behind it."""
        if not self._files:
            self._files = files_of(self.folder)
            if not self._files:
                return False
        path = self._files[0]
        with path.open("rb") as file:
            file.seek(self._offset)
            data = file.read(AT_ONCE)
        start = 0
        if not self._offset:
            if not data.startswith(MAGIC) or len(data) < HEADER:
                # The process died before the first line of the file was whole.
                return self._next_file(path)
            self.file = data[len(MAGIC) : HEADER].decode().strip()
            start = HEADER
        found = list(entries.whole(data, start))
        if not found and len(data) == AT_ONCE:
            # An entry longer than one reading.
            data = path.read_bytes()[self._offset :]
            found = list(entries.whole(data, start))
        if not found:
            self._offset += start
            return self._next_file(path)
        self._ship([(self._offset + end, entries.decoded(payload)) for end, payload in found])
        self._offset += found[-1][0]
        return True

    def _next_file(self, path: Path) -> bool:
        """Let go of a file that another one follows; the one that is written to stays."""
        newer = [one for one in files_of(self.folder) if one.name > path.name]
        if not newer:
            return False
        path.unlink(missing_ok=True)
        self._files, self._offset, self._series = newer, 0, {}
        return True

    def _ship(self, found: list[tuple[int, entries.Entry]]) -> None:
        """Ship entries in order: all points first, as they are apart from everything else but the beginning."""
        target = self._reached()
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
                    columns.setdefault(key, _Columns(index)).add(step, value, entry.at)
                    one[1] = index + 1
                    latest[key] = value
            elif entry.begins is not None:
                self._put(target, entry.files)
                target.write(entry.begins)
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
        attributes = dict(entry.attributes)
        if entry.files:
            attributes |= self._put(target, entry.files)
        if entry.ends:
            attributes = _metrics(latest) | attributes
        when = _moment(entry.at)
        target.write(
            Change(
                attributes=self._attributes(attributes),
                links=[Link(self.run, role, other) for role, other in entry.links],
                events=[NewEvent(kind=entry.event, subject=self.run, body=entry.body)] if entry.event else [],
                at=when,
                actor=entry.actor,
                # Applied once, also where it is shipped again after somebody else changed the same attribute.
                key=f"journal:{self.file}:{place}",
            )
        )
        for digest in entry.files.values():
            (self.folder / FILES / digest).unlink(missing_ok=True)
        if entry.ends:
            self.ended, self._told = True, dict(latest)

    def _put(self, target: RunTarget, files: dict[str, str]) -> dict[str, Scalar]:
        """Store files that lie beside the journal; those of an entry that was shipped before are gone from there."""
        staged = {digest: self.folder / FILES / digest for digest in files.values()}
        there = {digest: path for digest, path in staged.items() if path.is_file()}
        for digest, stored in zip(there, target.put(list(there.values())) if there else [], strict=True):
            if stored != digest:
                raise IntegrityError(f"A file of run {self.run} is not what it was when it was logged.")
        return {f"artifacts.{path}": digest for path, digest in files.items()}

    def _attributes(self, values: dict[str, Scalar]) -> list[Attribute]:
        return [Attribute(self.run, key, value) for key, value in values.items()]

    def _reached(self) -> RunTarget:
        if self._target is None:
            self._target = self._open_target()
        return self._target


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
    """Whether shipping may succeed later: the store is away, its disk full, a network in between."""
    return isinstance(error, Retryable | WorkspaceError | OSError)


def _metrics(latest: dict[str, float]) -> dict[str, Scalar]:
    return {f"metrics.{name}": value for name, value in latest.items()}


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
