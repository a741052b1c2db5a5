"""A sign of life for commands that take longer than a second, on a terminal and on standard error only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

Tell: TypeAlias = Callable[[str, float], None]
"""Told what is being done, and which share of all is done, 0 to 1."""


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
