"""A sign of life for commands that take longer than a second, on a terminal and on standard error only."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
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


@contextmanager
def bars(title: str, *, shown: bool) -> Iterator[None]:
    """A bar for each piece of work that takes longer than a second: its share, and about how long it will take still.

    Without a terminal nothing, and then no source is asked for an estimate either.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

    from heptad.data import watching_work

    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield
        return
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TextColumn("{task.fields[told]}")
    began: dict[str, tuple[TaskID, float]] = {}
    drawn = Progress(*columns, console=console, transient=True)
    drawn.add_task(title, total=None, told="")

    def hear(one: "Heard") -> None:
        now = time.monotonic()
        if one.work not in began:
            began[one.work] = drawn.add_task(one.work, total=None, told="", visible=False), now
        task, start = began[one.work]
        seconds, total = now - start, None if one.share is None else 1.0
        told = worded(one, seconds)
        drawn.update(task, total=total, completed=one.share or 0.0, visible=seconds > SHORT, told=told)

    with drawn, watching_work(hear):
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
