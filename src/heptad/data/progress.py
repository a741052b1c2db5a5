"""How far long work is: whoever does it says so, and whoever watches in this process hears it; nobody has to."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, TypeAlias

import msgspec

from heptad.core.errors import HeptadError

Unit: TypeAlias = Literal["rows", "bytes", "files", "messages"]

MOST = 0.99
"""The largest share of work that has not ended: an estimate may have been too low."""
TELL_SECONDS = 0.1
"""A watcher hears of one piece of work no more often."""


class Estimate(msgspec.Struct, frozen=True):
    """About how much there is of something; it may be wrong."""

    amount: int
    unit: Unit


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far one piece of work is."""

    work: str
    done: int = 0
    unit: Unit = "rows"
    """Of what so many are done: what was told of last."""
    share: float | None = None
    """0 to 1, never less than before, and 1 at the end only; `None` where nobody knows how much there is."""
    ended: bool = False


Watch: TypeAlias = Callable[[Progress], None]


class _Work:
    """One piece of work, in as many blocks as it is done in."""

    def __init__(self, name: str, estimate: Estimate | None, watch: Watch) -> None:
        self._name, self._estimate, self._watch = name, estimate, watch
        self._done: Counter[Unit] = Counter()
        self._told = float("-inf")
        self._ended = False
        watch(Progress(work=name, share=self._share()))

    def note(self, amount: int, unit: Unit) -> None:
        self._done[unit] += amount
        now = time.monotonic()
        if not self._ended and now - self._told >= TELL_SECONDS:
            self._told = now
            self._watch(Progress(work=self._name, done=self._done[unit], unit=unit, share=self._share()))

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            unit = self._estimate.unit if self._estimate and self._done[self._estimate.unit] else "rows"
            self._watch(Progress(work=self._name, done=self._done[unit], unit=unit, share=1.0, ended=True))

    def _share(self) -> float | None:
        if self._estimate is None or self._estimate.amount <= 0:
            return None
        return min(MOST, self._done[self._estimate.unit] / self._estimate.amount)


_watching: list[tuple[Watch, dict[str, _Work]]] = []
_current: ContextVar[_Work | None] = ContextVar("_current", default=None)


@contextmanager
def watching_work(watch: Watch) -> Iterator[None]:
    """While the block runs, `watch` hears of work in this process, in the thread that does it; the innermost alone."""
    one = watch, dict[str, _Work]()
    _watching.append(one)
    try:
        yield
    finally:
        _watching.remove(one)


@contextmanager
def under_way(name: str, estimate: Callable[[], Estimate | None], *, last: bool = True) -> Iterator[None]:
    """The block does the work of this name, or a part of it that is not the `last`.

    `estimate` is asked once, and only where somebody watches. Where work does other work, only the outer one is told.
    """
    if not _watching or _current.get() is not None:
        yield
        return
    watch, works = _watching[-1]
    if name not in works:
        works[name] = _Work(name, _asked(estimate), watch)
    token = _current.set(works[name])
    try:
        yield
    finally:
        _current.reset(token)
    if last:
        works[name].end()


@contextmanager
def together() -> Iterator[None]:
    """The pieces of work inside belong to one whole, so that work of the same name after it is another."""
    try:
        yield
        for _, works in _watching[-1:]:
            for work in works.values():
                work.end()
    finally:
        for _, works in _watching[-1:]:
            works.clear()


def _asked(estimate: Callable[[], Estimate | None]) -> Estimate | None:
    try:
        return estimate()
    except HeptadError:
        # The work itself says what is wrong, and may try again; nobody waits longer for not knowing how long.
        return None


def note_done(amount: int, unit: Unit) -> None:
    """Say that so much more is done of the work under way, if there is any; cheap, whoever watches."""
    work = _current.get()
    if work is not None:
        work.note(amount, unit)
