"""Runs a study to its end: claims trials, runs them here or in processes, and writes what became of them."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import wait

import msgspec

from heptad.core.errors import HeptadError
from heptad.experiments.searching.ledger import LEASE, Ended, Ledger
from heptad.experiments.searching.objectives import ActiveTrial, Constraint, Objective, Outcome, conduct
from heptad.experiments.searching.search import Search
from heptad.experiments.searching.seats import Seat, packed
from heptad.experiments.searching.told import Told, Trial

_RENEW = LEASE.total_seconds() / 3
_LOOK, _TICK, _RETRY = 0.2, 0.05, 2.0
_DEATHS = 3
"""A trial whose process was ended from outside so often has failed."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """When a search ends, and what a trial may take; 0 is no limit. Times in seconds, memory in bytes."""

    seconds: float = 0.0
    """Of trials, all of them together; those of several that run at once count for a part each."""
    cost: float = 0.0
    processes: int = 1
    isolated: bool = False
    timeout: float = 0.0
    memory: int = 0

    @property
    def apart(self) -> bool:
        """Whether trials run in processes of their own."""
        return self.isolated or self.processes > 1 or self.timeout > 0 or self.memory > 0


Watch = Callable[[Ended, Search], None]


class Conductor:
    """Runs the trials of a search that are left; several may do so at once, in processes and on machines of their own.

    Each trial is claimed by a lease, and what it came to is written only by whoever holds the lease: none is lost and
    none counts twice, whoever is killed. A trial that was cut off is run again with the parameters it had.
    """

    def __init__(
        self,
        search: Search,
        ledger: Ledger,
        objective: Objective,
        names: Sequence[str],
        constraints: Sequence[Constraint],
        seed: int,
        limits: Limits,
        watch: Watch | None = None,
    ) -> None:
        self._search, self._ledger, self._objective = search, ledger, objective
        self._names, self._constraints, self._seed, self._limits = names, constraints, seed, limits
        self._watch = watch
        self._elsewhere: dict[int, float] = {}
        """Number to when the claim is tried again, of trials that others hold."""
        self._spent = self._cost = 0.0
        for one in search.told:
            self._count(one)

    def run(self) -> None:
        """Until the budget is spent or every trial has ended, those of others included."""
        if self._limits.apart:
            self._run_apart()
        else:
            self._run_here()

    def _run_here(self) -> None:
        ended: Ended | None = None
        with self._kept() as running:
            while (trial := self._next(ended, wait=True)) is not None:
                running[:] = [trial.number]
                active = ActiveTrial(trial, self._seed, partial(self._search.report, trial.number))
                began = time.perf_counter()
                outcome = conduct(self._objective, active, self._names, self._constraints)
                ended = self._tell(trial, outcome, time.perf_counter() - began)
                running.clear()

    @contextmanager
    def _kept(self) -> Iterator[list[int]]:
        """Holds the lease of the trial that runs; a thread renews it."""
        running: list[int] = []
        done = threading.Event()

        def keep() -> None:
            while not done.wait(_RENEW):
                try:
                    self._ledger.renew(list(running))
                except HeptadError:
                    # The database is full or such; there is a second chance, and where that fails somebody takes over.
                    continue

        keeper = threading.Thread(target=keep, name="heptad-trial-lease", daemon=True)
        keeper.start()
        try:
            yield running
        finally:
            done.set()
            keeper.join()
            self._ledger.release(running)

    def _run_apart(self) -> None:
        objective = packed(self._objective)
        count = min(self._limits.processes, max(1, self._search.trials - len(self._search.told)))
        seats: list[Seat] = []
        renewed = time.monotonic()
        try:
            seats += (
                Seat(objective, self._names, self._constraints, self._seed, self._limits.memory) for _ in range(count)
            )
            while True:
                for seat in seats:
                    if seat.trial is None and (trial := self._next(None, wait=False)) is not None:
                        seat.begin(trial)
                busy = [seat for seat in seats if seat.trial is not None]
                if not busy and not self._others_are_busy():
                    return
                wait([seat.connection for seat in busy], timeout=_TICK if self._limits.memory else _LOOK)
                for seat in busy:
                    self._attend(seat)
                if time.monotonic() - renewed > _RENEW:
                    renewed = time.monotonic()
                    self._ledger.renew([seat.trial.number for seat in busy if seat.trial is not None])
        finally:
            for seat in seats:
                seat.close()
            self._ledger.release([seat.trial.number for seat in seats if seat.trial is not None])

    def _attend(self, seat: Seat) -> None:
        """Hear what the process has to say, and end it where it may not go on."""
        trial = seat.trial
        assert trial is not None
        try:
            said = seat.message()
        except EOFError:
            self._after_death(seat, trial)
            return
        if said is not None and said[0] == "ended":
            self._end(seat, trial, said[1], restart=False)
        # Looked at also where it has something to say: some trials report all the time.
        elif self._limits.timeout and seat.seconds > self._limits.timeout:
            self._end(seat, trial, Outcome(reason=f"It ran longer than {self._limits.timeout:g} s."))
        elif seat.grew_too_large:
            most = self._limits.memory / 1e6
            self._end(seat, trial, Outcome(reason=f"It used more than {most:,.0f} MB of memory."))
        elif said is not None:
            try:
                seat.answer(self._search.report(trial.number, said[1], said[2]))
            except HeptadError as error:
                seat.answer(error)

    def _after_death(self, seat: Seat, trial: Trial) -> None:
        how, outside = seat.died()
        if outside and seat.deaths + 1 < _DEATHS:
            seat.again()
            self._search.ask(trial.number, trial.params)
            return
        times = f", {_DEATHS} times" if outside else ""
        self._end(seat, trial, Outcome(reason=f"{how[0].upper()}{how[1:]}{times}."))

    def _end(self, seat: Seat, trial: Trial, outcome: Outcome, *, restart: bool = True) -> None:
        """Write what came of it together with the claim of the next, and go on with that."""
        seconds, printed = seat.seconds, seat.printed()
        outcome = msgspec.structs.replace(outcome, cost=seat.spent)
        seat.trial = None
        if restart:
            seat.restart()
        ended = msgspec.structs.replace(self._tell(trial, outcome, seconds), output=printed)
        following = self._next(ended, wait=False)
        if following is not None:
            seat.begin(following)

    def _tell(self, trial: Trial, outcome: Outcome, seconds: float) -> Ended:
        told = self._search.tell(
            trial.number,
            outcome.values,
            violations=outcome.violations,
            pruned=outcome.pruned,
            seconds=seconds,
            cost=outcome.cost,
            at_once=self._limits.processes,
        )
        self._count(told)
        return Ended(
            run=self._ledger.id_of(trial.number),
            told=told,
            figures=outcome.figures,
            series=outcome.series,
            reason=outcome.reason,
        )

    def _next(self, ended: Ended | None, *, wait: bool) -> Trial | None:
        """Claim the next trial, and write how another ended; `None` where there is none to be had."""
        while True:
            for told in self._ledger.news():
                self._learn(told)
            trial = None if self._is_spent() else self._claim(ended)
            if trial is not None:
                self._notify(ended)
                return trial
            if ended is not None:
                # By itself, as the two together did not go, or there is no other.
                if self._ledger.write(ended, None):
                    self._notify(ended)
                ended = None
            elif not wait or not self._others_are_busy():
                return None
            else:
                time.sleep(_LOOK)

    def _claim(self, ended: Ended | None) -> Trial | None:
        behind, now = -1, time.monotonic()
        while (number := self._search.waiting(behind)) is not None:
            if self._elsewhere.get(number, 0.0) > now:
                behind = number
                continue
            known = self._ledger.begun(number)
            trial = self._search.ask(number, known)
            assert trial is not None
            if self._ledger.write(ended, (number, trial.params)):
                return trial
            self._search.drop(number)
            if ended is not None:
                # Which of the two stood in the way is seen by trying each alone.
                return None
            if self._ledger.begun(number) is not None and known is None:
                continue
            for told in self._ledger.news(look=True):
                self._learn(told)
            self._elsewhere[number] = now + _RETRY
            behind = number
        return None

    def _others_are_busy(self) -> bool:
        """Whether trials wait that others hold; looks at what those have told meanwhile."""
        for told in self._ledger.news(look=True):
            self._learn(told)
        return not self._is_spent() and self._search.waiting() is not None

    def _learn(self, told: Told) -> None:
        self._search.learn(told)
        self._elsewhere.pop(told.number, None)
        self._count(told)

    def _count(self, told: Told) -> None:
        self._spent += told.seconds / told.at_once
        self._cost += told.cost

    def _is_spent(self) -> bool:
        limits = self._limits
        return bool((limits.seconds and self._spent >= limits.seconds) or (limits.cost and self._cost >= limits.cost))

    def _notify(self, ended: Ended | None) -> None:
        if ended is not None and self._watch is not None:
            self._watch(ended, self._search)
