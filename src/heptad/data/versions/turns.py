"""Who may write the tables of a workspace: any number of collections at once, or one erasure alone."""

import fcntl
from collections.abc import Generator
from contextlib import contextmanager

from heptad.core.files import locked, make_folder
from heptad.core.workspace import Workspace

_LOCK = "collecting.lock"


@contextmanager
def collecting(workspace: Workspace) -> Generator[None]:
    """Tables stay where they are while the block lasts; others may collect too."""
    make_folder(workspace.folder)
    with locked(workspace.folder / _LOCK, fcntl.LOCK_SH):
        yield


@contextmanager
def alone(workspace: Workspace) -> Generator[None]:
    """Nobody collects while the block lasts; waits for those who do."""
    make_folder(workspace.folder)
    with locked(workspace.folder / _LOCK):
        yield
