"""Tells whoever asked which recorded data this process reads, so that a run knows it without being told."""

from collections.abc import Callable
from pathlib import Path

from heptad.core.records import Id
from heptad.core.workspace import Workspace

_listeners: list[tuple[Path, Callable[[Id], None]]] = []


def listen(folder: Path, listener: Callable[[Id], None]) -> Callable[[], None]:
    """Call `listener` with every record of the workspace in `folder` that is read; answers how to stop that."""
    one = folder, listener
    _listeners.append(one)
    return lambda: _listeners.remove(one)


def note_read(workspace: Workspace, record: Id) -> None:
    """Say that the data of `record` is read now; readers call it, once or many times."""
    for folder, listener in tuple(_listeners):
        if folder == workspace.folder:
            listener(record)
