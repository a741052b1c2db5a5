"""What each step costs: the seconds between two happenings belong to the step of the later one."""

import time
from collections import Counter
from collections.abc import Mapping

from heptad.lifecycle.happenings import Happening, Watcher, unwatched


class Costs:
    """A watcher that passes everything on and adds up seconds by step; an observation, never part of a decision."""

    def __init__(self, watch: Watcher = unwatched) -> None:
        self._watch = watch
        self._seconds: Counter[str] = Counter()
        self._last = time.perf_counter()

    def __call__(self, happening: Happening) -> None:
        now = time.perf_counter()
        self._seconds[happening.step] += now - self._last  # type: ignore[assignment]  # counters add floats as well
        self._last = now
        self._watch(happening)

    def seconds(self) -> Mapping[str, float]:
        """Step to seconds so far."""
        return dict(self._seconds)
