"""A sign of life for commands that take longer than a second."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def spinner(text: str, *, shown: bool) -> Iterator[None]:
    """Show that something goes on, on a terminal and on standard error only."""
    from rich.console import Console

    console = Console(stderr=True)
    if not shown or not console.is_terminal:
        yield
        return
    with console.status(text):
        yield
