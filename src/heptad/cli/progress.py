"""A sign of life for commands that take longer than a second, on a terminal and on standard error only."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID

    from heptad.data import Progress as Heard

Tell: TypeAlias = Callable[[str, float], None]
"""Told what is being done, and which share of all is done, 0 to 1."""
Count: TypeAlias = Callable[[str, int], None]
"""Told how many more of something are done."""
SHORT = 1.0
"""Work that takes no more seconds gets no bar of its own."""
_BYTES = {"GB": 1e9, "MB": 1e6, "kB": 1e3}


@contextmanager
def progress(title: str, *, shown: bool) -> Iterator[Tell]:
    """A bar that moves as it is told; without a terminal, or where not `shown`, nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield lambda _what, _share: None
        return
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(None), TimeElapsedColumn(), console=console, transient=True
    )
    with bar:
        task = bar.add_task(title, total=1.0)
        yield lambda what, share: bar.update(task, description=f"{title}: {what}", completed=share)


@contextmanager
def counting(title: str, *, shown: bool) -> Iterator[Count]:
    """How many of each thing are done, for work whose end is not known; without a terminal nothing."""
    from rich.console import Console

    console = Console(stderr=True)
    done: Counter[str] = Counter()
    if not shown or not console.is_terminal:
        yield lambda _what, _more: None
        return
    with console.status(title) as status:

        def count(what: str, more: int) -> None:
            done[what] += more
            status.update(f"{title}: {', '.join(f'{number:,} {name}' for name, number in done.items())}")

        yield count


class WorkBars:
    """A bar for each piece of work that takes longer than a second: its share, and about how long it still takes."""

    def __init__(self, console: "Console | None" = None) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TextColumn("{task.fields[told]}")
        self.drawn = Progress(*columns, console=console, transient=True)
        self._began: dict[str, tuple[TaskID, float]] = {}

    def hear(self, one: "Heard") -> None:
        """Move the bar of a piece of work."""
        now = time.monotonic()
        if one.work not in self._began:
            self._began[one.work] = self.drawn.add_task(one.work, total=None, told="", visible=False), now
        task, start = self._began[one.work]
        seconds, total = now - start, None if one.share is None else 1.0
        told = worded(one, seconds)
        self.drawn.update(task, total=total, completed=one.share or 0.0, visible=seconds > SHORT, told=told)
        if one.ended:
            del self._began[one.work]

    def clear(self) -> None:
        """Take all bars away: what they told of is over."""
        for task in self.drawn.task_ids:
            self.drawn.remove_task(task)
        self._began.clear()


@contextmanager
def bars(title: str, *, shown: bool) -> Iterator[None]:
    """The bars of the work that the block does.

    Without a terminal nothing, and then no source is asked for an estimate either.
    """
    from rich.console import Console

    from heptad.data import watching_work

    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield
        return
    works = WorkBars(console)
    works.drawn.add_task(title, total=None, told="")
    with works.drawn, watching_work(works.hear):
        yield


def worded(one: "Heard", seconds: float) -> str:
    """How far work is that began so many seconds ago: `34 %, 1,200 rows, 8 s left`; what is not known is left out."""
    done = f"{one.done:,} {one.unit}"
    if one.unit == "bytes":
        name, size = next(((name, size) for name, size in _BYTES.items() if one.done >= size), ("bytes", 1.0))
        done = f"{one.done / size:.3g} {name}"
    told = [f"{int(one.share * 100)} %"] if one.share is not None else []
    told += [done] if one.done else []
    if one.share and not one.ended:
        left = round(seconds * (1 - one.share) / one.share)
        told.append(f"{left // 60}:{left % 60:02} min left" if left >= 60 else f"{left} s left")
    return ", ".join(told)
