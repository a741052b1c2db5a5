"""The journal of a run that is begun again where it is cut off: in memory, since nothing of it would be read again."""

import os
import threading
from collections.abc import Callable, Mapping
from typing import BinaryIO

from heptad.core.records import Id
from heptad.experiments.journal.delivery import Delivery
from heptad.experiments.journal.entries import Definition, Entry, Points, Update
from heptad.experiments.journal.journal import check_names
from heptad.experiments.journal.target import RunTarget


class MemoryJournal(Delivery):
    """Takes entries as `Journal` does, and delivers them itself. Files go to the store at once."""

    folder = None
    lost = 0
    trouble = ""

    def __init__(self, run: Id, target: Callable[[], RunTarget]) -> None:
        super().__init__(run, target)
        self.file = f"{run}-{os.urandom(8).hex()}"
        self._guard = threading.Lock()
        self._waiting: list[Entry] = []
        self._numbers: dict[str, list[int]] = {}
        self._place = 0

    def check(self, names: Mapping[str, float]) -> None:
        """See `Journal.check`."""
        check_names([name for name in names if name not in self._numbers])

    def add_points(self, metrics: Mapping[str, float], step: int | None, at: float) -> None:
        """See `Journal.add_points`."""
        with self._guard:
            numbers, steps = [], []
            for name in metrics:
                known = self._numbers.get(name)
                if known is None:
                    known = self._numbers[name] = [len(self._numbers), 0]
                    self._waiting.append(Definition(known[0], 0, name))
                numbers.append(known[0])
                steps.append(known[1] if step is None else step)
                known[1] += 1
            self._waiting.append(Points(at, numbers, steps, list(metrics.values())))

    def add(self, update: Update) -> None:
        """See `Journal.add`."""
        with self._guard:
            self._waiting.append(update)

    def stage(self, content: "bytes | BinaryIO") -> str:
        """Store bytes; answers their digest."""
        return self.reached().put([content])[0]

    def sync(self) -> None:
        """Nothing here is on a disk."""

    def _step(self) -> bool:
        with self._guard:
            taken = list(self._waiting)
        if not taken:
            return False
        self._ship(list(enumerate(taken, self._place)))
        self._place += len(taken)
        with self._guard:
            del self._waiting[: len(taken)]
        return True

    def _put(self, target: RunTarget, files: dict[str, str]) -> None:
        """They are there."""
