"""Ships the journals of this process in the background, and what processes that died have left behind."""

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from heptad.core.errors import HeptadError
from heptad.core.records import Id, Scalar
from heptad.experiments.journal.delivery import may_pass
from heptad.experiments.journal.journal import (
    FOLDER,
    MAIN,
    OUTPUT,
    OUTPUT_PATH,
    Journal,
    files_of,
    hold,
    journals_below,
    release,
    remove,
)
from heptad.experiments.journal.memory import MemoryJournal
from heptad.experiments.journal.messages import RunUpdate
from heptad.experiments.journal.shipment import Shipment
from heptad.experiments.journal.target import RunTarget

SYNC_SECONDS = 0.1
SHIP_SECONDS = 0.5
STILL_SECONDS, FAILED_SECONDS = 10.0, 2.0
"""How long the end of a run waits while nothing of it arrives, and while the store says that it cannot be."""
_LONGEST_PAUSE = 30.0
DIED = "its process ended without finishing it"
_log = logging.getLogger("heptad")


class Shipped(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a journal that was left behind."""

    run: Id
    writer: str
    points: int
    server: str = ""
    """Where it goes to; empty: this workspace."""
    problem: str = ""
    """Why it is still there; empty: all of it has arrived."""


class Live:
    """The journal of a run of this process, and how far it has come."""

    def __init__(
        self, journal: Journal | MemoryJournal, target: Callable[[], RunTarget], now: Callable[[], float]
    ) -> None:
        self.journal = journal
        self.shipment = Shipment(journal.folder, target) if isinstance(journal, Journal) else journal
        self.error: BaseException | None = None
        """What shipping raised last."""
        self.before: list[Callable[[], None]] = []
        """What else is due whenever this is shipped: the output of the process, its use of the machine."""
        self.last = False
        self.pause_until = 0.0
        self._now = now
        self._turn = threading.Lock()
        self._pause = SHIP_SECONDS
        self._told: dict[str, str] = {}
        self._closed = False

    def ship(self) -> None:
        """Ship what is there; raises what the target raised."""
        with self._turn:
            if self._closed:
                return
            try:
                self.shipment.advance(self._now(), last=self.last)
            except BaseException as error:
                self.error = error
                self.pause_until = time.monotonic() + self._pause
                self._pause = min(2 * self._pause, _LONGEST_PAUSE)
                raise
            self.error, self._pause, self.pause_until = None, SHIP_SECONDS, 0.0
            if self.shipment.ended and not self._closed:
                self._closed = True
                self.shipment.close()
                if isinstance(self.journal, Journal):
                    remove(self.journal.folder)
                self.journal.close()

    @property
    def place(self) -> str:
        """Where the run is kept until it is shipped, in words."""
        return str(self.journal.folder or "memory")

    @property
    def may_recover(self) -> bool:
        """Whether what shipping raised last may pass."""
        return self.error is None or may_pass(self.error)

    def tell(self, about: str, what: str) -> None:
        """Say that something is amiss, once until it is not so any more (an empty `what`)."""
        if what and not self._told.get(about):
            _log.warning("heptad: %s", what)
        self._told[about] = what


class Shipper:
    """Two threads for all runs of a process: one syncs journals, one ships them. They begin with the first run."""

    def __init__(self) -> None:
        self._lives: dict[int, Live] = {}
        self._journals: dict[int, Journal | MemoryJournal] = {}
        self._searched: set[Path] = set()
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._passed = threading.Condition()
        self._running = threading.Event()
        self._started: set[str] = set()

    def keep_synced(self, journal: Journal | MemoryJournal) -> None:
        """Sync a journal that somebody else will ship."""
        with self._guard:
            self._journals[id(journal)] = journal
            self._start(self._sync_on)
            self._running.set()

    def add(self, live: Live) -> None:
        """Sync and ship the journal of a run from now on."""
        self.keep_synced(live.journal)
        with self._guard:
            self._lives[id(live)] = live
            self._start(self._ship_on)

    def remove(self, live: Live) -> None:
        with self._guard:
            self._lives.pop(id(live), None)
            self._journals.pop(id(live.journal), None)
            if not self._journals:
                self._running.clear()

    def _start(self, work: Callable[[], None]) -> None:
        if work.__name__ not in self._started:
            self._started.add(work.__name__)
            threading.Thread(target=work, name=f"heptad{work.__name__}", daemon=True).start()

    def search(self, root: Path, target: Callable[[], RunTarget]) -> None:
        """Ship, once and in the background, what dead processes left in the folder of journals `root`."""
        if root in self._searched or not root.is_dir():
            return
        self._searched.add(root)
        threading.Thread(target=_ship_quietly, args=(root, target), name="heptad-leftovers", daemon=True).start()

    def settle(self, live: Live) -> bool:
        """Have everything of a run shipped; answers no where nothing arrives for a while. Raises nothing."""
        live.last, live.pause_until = True, 0.0
        since, seen = time.monotonic(), -1
        with self._passed:
            while not live.shipment.ended and live.may_recover:
                if live.shipment.points != seen:
                    since, seen = time.monotonic(), live.shipment.points
                if time.monotonic() - since > (STILL_SECONDS if live.error is None else FAILED_SECONDS):
                    break
                self._wake.set()
                self._passed.wait(0.2)
        return live.shipment.ended

    def _sync_on(self) -> None:
        while self._running.wait():
            time.sleep(SYNC_SECONDS)
            with self._guard:
                journals = list(self._journals.values())
            for journal in journals:
                journal.sync()

    def _ship_on(self) -> None:
        while self._running.wait():
            self._wake.wait(SHIP_SECONDS)
            self._wake.clear()
            with self._guard:
                lives = list(self._lives.values())
            for live in lives:
                self._pass(live)
            with self._passed:
                self._passed.notify_all()

    def _pass(self, live: Live) -> None:
        for act in live.before:
            act()
        lost, run = live.journal.trouble, live.shipment.run
        live.tell("lost", f"run {run} goes on, but what it logs is lost: {lost}" if lost else "")
        if live.pause_until > time.monotonic():
            return
        try:
            live.ship()
        except Exception as error:  # noqa: BLE001 - `Live` keeps it, and whoever finishes the run is told
            live.tell("shipping", f"run {run} is kept in {live.place} until it can be shipped: {error}")
            return
        live.tell("shipping", "")
        if live.shipment.ended:
            self.remove(live)


def ship_leftovers(root: Path, target: Callable[[], RunTarget], run: Id = "") -> list[Shipped]:
    """Ship the journals below `root` (of one run, or of all) that no living process writes to, and remove them.

    A run whose own process died without finishing it becomes `killed`. What cannot be shipped stays, with the reason.
    """
    found = []
    for folder in journals_below(root, run):
        lock = hold(folder)
        if lock is not None:
            try:
                found += [_ship_one(folder, target)]
            finally:
                release(lock)
    return [one for one in found if one.points or one.problem]


def _ship_one(folder: Path, target: Callable[[], RunTarget]) -> Shipped:
    run, _, writer = folder.name.rpartition(".")
    shipment = Shipment(folder, target)
    problem = ""
    try:
        begun = bool(files_of(folder))
        shipment.advance(time.time(), last=True)
        if begun and writer == MAIN and not shipment.ended:
            reached = shipment.reached()
            output = folder / OUTPUT
            digest = reached.put([output])[0] if output.is_file() and output.stat().st_size else ""
            reached.update(_killed(run, shipment, digest))
        remove(folder)
    except (HeptadError, OSError) as error:
        problem = str(error)
    finally:
        shipment.close()
    return Shipped(run=run, writer=writer, points=shipment.points, problem=problem)


def _killed(run: Id, shipment: Shipment, output: str) -> RunUpdate:
    ended = shipment.newest or time.time()
    values: dict[str, Scalar] = {"status": "killed", "reason": DIED, "ended": ended}
    return RunUpdate(
        run=run,
        at=time.time(),
        key=f"killed:{shipment.file}",
        attributes=values,
        files={OUTPUT_PATH: output} if output else {},
        event="experiments.run_finished",
    )


def _ship_quietly(root: Path, target: Callable[[], RunTarget]) -> None:
    for one in ship_leftovers(root, target):
        if one.problem:
            _log.warning("heptad: what run %s left cannot be shipped: %s", one.run, one.problem)


def journals_of(folder: Path) -> Path:
    """Where the journals of a workspace are."""
    return folder / FOLDER


_shipper = Shipper()


def shipper() -> Shipper:
    """The one of this process."""
    return _shipper


def _after_fork() -> None:
    """A forked child has none of the threads, and what it logs is its own."""
    global _shipper  # noqa: PLW0603 - one a process
    _shipper = Shipper()


os.register_at_fork(after_in_child=_after_fork)
