"""The trials of a study in the store: who runs which now, and what became of them, each written once."""

import itertools
import logging
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias, TypeVar

import msgspec

from heptad.core import graph
from heptad.core.errors import ConflictError, InputError, NotFoundError, Retryable
from heptad.core.flow_claims import is_dead, whereabouts
from heptad.core.identity import current_actor
from heptad.core.query import Query, equals
from heptad.core.records import AliasMove, Attribute, Change, Id, Link, NewEvent, RawRecord, Record, Scalar, derived_id
from heptad.core.store import Segment, at_seconds
from heptad.core.workspace import Workspace
from heptad.experiments.beginning import attributes_of
from heptad.experiments.naming import experiment_named
from heptad.experiments.records import Run, Status, Study
from heptad.experiments.scrubbing import scrub
from heptad.experiments.searching.space import Value
from heptad.experiments.searching.told import Told

LEASE = timedelta(seconds=30)
_PATIENCE, _FIRST_PAUSE, _LONGEST_PAUSE = 300.0, 0.1, 5.0
"""Seconds for which a store that does not answer is asked again, and between two times."""
_FOR_EVER = timedelta(days=36_500)
"""The lease of a trial that has ended: nobody who has not heard of it yet begins it again."""
ENDED = "experiments.run_finished"
REPORTS = "reported"
"""The metric series that trials report to."""
SECONDS, _COST, _AT_ONCE = "trial.seconds", "trial.cost", "trial.at_once"
"""What the search measures of a trial: beside its metrics, which may have these names themselves."""


Claim: TypeAlias = tuple[int, Mapping[str, Value]]
Naming: TypeAlias = Callable[[int, Mapping[str, Value]], str]
T = TypeVar("T")
_log = logging.getLogger("heptad")


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How a trial ended, as its run records it."""

    run: Id
    told: Told
    figures: Mapping[str, float]
    series: Mapping[str, Sequence[tuple[int, float]]] = {}
    """Metric to its points: step and value."""
    reason: str = ""
    output: bytes = b""
    """What the trial printed, where it ran in a process of its own."""

    @property
    def status(self) -> Status:
        return "killed" if self.told.pruned else "failed" if self.told.value is None else "finished"


class Ledger:
    """Claims trials by leases and writes how they ended. One thread uses it at a time.

    A trial's outcome and the lease that closes it for ever are one transaction, together with the claim of the next
    trial where there is one: whoever has lost the lease cannot write any more, and nothing is written twice.
    A store that is away is waited for, for five minutes, so that what a trial came to is not lost by that.
    """

    def __init__(self, workspace: Workspace, study: Record[Study], environment: str, name: "Naming") -> None:
        self._workspace, self._store, self._study = workspace, workspace.store, study
        self._environment, self._name = environment, name
        self._experiment = experiment_named(workspace, study.body.name).body.scope
        mark = os.urandom(6).hex()
        self._holder = f"{whereabouts()} {mark}"
        self._keys = (f"search:{mark}:{number}" for number in itertools.count())
        self._data: list[Id] = [
            link.target for link in self._store.trace([study.id], "out", ("data",)) if link.source == study.id
        ]
        self._begun: dict[int, dict[str, Value]] = {}
        self._ended: set[int] = set()
        self._position = 0
        self._behind = False

    def load(self) -> list[Told]:
        """The trials that ended, by number."""
        newest = self._store.write(Change())
        told = [one for run in self._runs() if (one := self._read(run)) is not None]
        self._position = newest
        return sorted(told, key=lambda one: one.number)

    def id_of(self, number: int) -> Id:
        return derived_id(Run.prefix, self._study.body.name, self._study.id, number)

    def begun(self, number: int) -> dict[str, Value] | None:
        """The parameters of a trial that somebody began."""
        return self._begun.get(number)

    def news(self, *, look: bool = False) -> list[Told]:
        """What others told since the last look; without `look`, only where a write has shown that somebody wrote."""
        if not (look or self._behind):
            return []
        self._behind = False
        found: list[Id] = []
        while events := self._patiently(lambda: self._store.follow(self._position, [ENDED])):
            found += [event.subject for event in events]
            self._position = events[-1].position
        known = self._patiently(lambda: self._store.get(list(dict.fromkeys(found)))) if found else []
        runs = [graph.typed(one, Run) for one in known]
        own = [run for run in runs if run.body.study == self._study.id and run.body.number not in self._ended]
        return [one for run in own if (one := self._read(run)) is not None]

    def write(self, ended: Ended | None, claim: Claim | None) -> bool:
        """Write an outcome and claim another trial at once; answers whether both are ours.

        Where not, nothing was written: the outcome's trial is somebody else's by now, or the other is.
        """
        change = self._patiently(lambda: self._change(ended, claim))
        if claim is None:
            return self._written(change, ended, None) is None
        conflict = self._written(change, ended, claim)
        if conflict is None:
            return True
        if ended is None and is_dead(conflict.current) and self._is_left(claim[0]):
            # Of two who find it dead, one takes it: the other does not know the version any more.
            move = msgspec.structs.replace(self._lease(claim[0]), expected=conflict.version)
            return self._written(msgspec.structs.replace(change, aliases=[move]), None, claim) is None
        return False

    def renew(self, numbers: Sequence[int]) -> None:
        """Hold trials for another while. Losing one is seen when it is told."""
        for number in numbers:
            try:
                self._store.write(Change(aliases=[msgspec.structs.replace(self._lease(number), renews=True)]))
            except (ConflictError, Retryable):
                continue

    def release(self, numbers: Sequence[int]) -> None:
        """Let others have trials that were not ended here; where the store is away, their leases run out."""
        for number in numbers:
            try:
                over = msgspec.structs.replace(self._lease(number), lease=timedelta(), renews=True)
                self._store.write(Change(aliases=[over]))
            except (ConflictError, Retryable):
                continue

    def _written(self, change: Change, ended: Ended | None, claim: Claim | None) -> ConflictError | None:
        try:
            position = self._patiently(lambda: self._store.write(change))
        except ConflictError as conflict:
            return conflict
        except InputError as refused:
            if claim is None or claim[0] in self._begun:
                raise
            # Somebody began that trial and is gone: its run is there, and it is asked again as it was.
            try:
                (run,) = self._patiently(lambda: self._store.get([self.id_of(claim[0])]))
            except NotFoundError:
                raise refused from None
            self._begun[claim[0]] = graph.typed(run, Run).body.params
            return ConflictError(f"Trial {claim[0]} was begun before.")
        if ended is not None:
            self._ended.add(ended.told.number)
        if claim is not None:
            self._begun[claim[0]] = dict(claim[1])
        # Where nobody else has written an event since the last look, there is nothing to look at.
        self._behind = self._behind or position != self._position + len(change.events)
        if not self._behind:
            self._position = position
        return None

    def _is_left(self, number: int) -> bool:
        """Whether a trial whose holder is dead goes on, and is known here as it was begun."""
        known = number in self._begun
        (run,) = self._patiently(lambda: self._store.get([self.id_of(number)]))
        self._begun[number] = graph.typed(run, Run).body.params
        return known and run.attributes.get("status") == "running"

    def _patiently(self, act: Callable[[], T]) -> T:
        """Do it again while the store does not answer. What is written has a key: it is written once, however often."""
        until, pause = time.monotonic() + _PATIENCE, _FIRST_PAUSE
        while True:
            try:
                return act()
            except Retryable as error:
                if time.monotonic() > until:
                    raise
                if pause == _FIRST_PAUSE:
                    _log.warning("heptad: the search waits for the store: %s", error)
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _change(self, ended: Ended | None, claim: Claim | None) -> Change:
        now, actor = self._workspace.clock.now(), current_actor()
        records: list[RawRecord] = []
        links: list[Link] = []
        attributes: list[Attribute] = []
        aliases: list[AliasMove] = []
        events: list[NewEvent] = []
        segments: list[Segment] = []
        if ended is not None:
            own = self.id_of(ended.told.number)
            segments = _segments(own, ended, at_seconds(now))
            attributes += [Attribute(own, key, value) for key, value in self._closing(ended, at_seconds(now)).items()]
            aliases.append(msgspec.structs.replace(self._lease(ended.told.number), lease=_FOR_EVER, renews=True))
            events.append(NewEvent(kind=ENDED, subject=own, body={"status": ended.status}))
        if claim is not None:
            number, params = claim
            aliases.append(self._lease(number))
            if number not in self._begun:
                record = self._record(number, params, now, actor)
                records.append(record)
                links += [Link(record.id, "data", one) for one in self._data]
                links.append(Link(record.id, "study", self._study.id))
        return Change(
            records=records,
            links=links,
            attributes=attributes,
            aliases=aliases,
            events=events,
            segments=segments,
            key=next(self._keys),
            at=now,
            actor=actor,
        )

    def _record(self, number: int, params: Mapping[str, Value], now: Any, actor: str) -> RawRecord:
        study = self._study.body
        body = Run(
            name=self._name(number, params),
            experiment=study.name,
            study=self._study.id,
            number=number,
            params=dict(params),
            seed=study.seed,
            environment=self._environment,
        )
        return Record(
            id=self.id_of(number),
            kind=Run.kind,
            scope=self._experiment,
            at=now,
            actor=actor,
            body=msgspec.to_builtins(body, str_keys=True),
            attributes=attributes_of(body, now),
        )

    def _closing(self, ended: Ended, now: float) -> dict[str, Scalar]:
        told = ended.told
        closing: dict[str, Scalar] = {f"metrics.{name}": points[-1][1] for name, points in ended.series.items()}
        closing |= {f"metrics.{name}": value for name, value in ended.figures.items()}
        closing |= {f"violation.{name}": by for name, by in told.violations.items()}
        closing |= {"status": ended.status, "ended": now, SECONDS: told.seconds}
        if told.cost:
            closing[_COST] = told.cost
        if told.at_once > 1:
            closing[_AT_ONCE] = told.at_once
        if told.pruned:
            closing["pruned"] = max(told.reports, default=0)
        if ended.reason:
            closing["reason"] = scrub(ended.reason)
        if ended.output:
            printed = scrub(ended.output.decode(errors="replace"))
            closing["artifacts.output.txt"] = self._workspace.blobs.put(printed.encode())
        return closing

    def _runs(self) -> list[Record[Run]]:
        runs: list[Record[Run]] = []
        query, after = Query(kind=Run.kind, where=equals(study=self._study.id)), None
        while True:
            page = self._store.find(query, after, 1000)
            runs += [graph.typed(one, Run) for one in page.items]
            after = page.after
            if after is None:
                return runs

    def _read(self, run: Record[Run]) -> Told | None:
        """What a run says of its trial; `None` while it goes on."""
        number, attributes = run.body.number, run.attributes
        self._begun[number] = run.body.params
        status = attributes.get("status")
        if status == "running":
            return None
        self._ended.add(number)
        pruned = attributes.get("pruned")
        reports: dict[int, float] = {}
        if pruned is not None or self._study.body.pruner != "none":
            segment = self._patiently(lambda: self._store.read(run.id, REPORTS))
            reports = dict(zip(segment.steps, segment.values, strict=True))
        values = tuple(_number(attributes.get(f"metrics.{name}")) for name in self._study.body.objectives_by_name())
        fine = status == "finished" and not any(math.isnan(one) for one in values)
        return Told(
            number,
            run.body.params,
            values[0] if fine else None,
            values if fine and len(values) > 1 else (),
            {
                key.removeprefix("violation."): _number(value)
                for key, value in attributes.items()
                if key.startswith("violation.")
            },
            reports,
            pruned is not None,
            _number(attributes.get(SECONDS), 0.0),
            _number(attributes.get(_COST), 0.0),
            int(_number(attributes.get(_AT_ONCE), 1.0)),
        )

    def _lease(self, number: int) -> AliasMove:
        return AliasMove(scope=self._scope, name=f"trial:{number}", target=self._holder, lease=LEASE)

    @property
    def _scope(self) -> str:
        return f"study:{self._study.id}"


def _segments(run: Id, ended: Ended, now: float) -> list[Segment]:
    series = dict(ended.series)
    if ended.told.reports:
        series[REPORTS] = list(ended.told.reports.items())
    return [
        Segment(
            record=run,
            key=name,
            first=0,
            steps=[step for step, _ in points],
            values=[value for _, value in points],
            times=[now] * len(points),
        )
        for name, points in series.items()
    ]


def _number(value: Scalar, missing: float = math.nan) -> float:
    return float(value) if isinstance(value, int | float) else missing
