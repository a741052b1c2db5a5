"""A sign of life for commands that take longer than a second, on a terminal and on standard error only."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Tell: TypeAlias = Callable[[str, float], None]
"""Told what is being done, and which share of all is done, 0 to 1."""
Count: TypeAlias = Callable[[str, int], None]
"""Told how many more of something are done."""


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
