"""Who may write the tables of a workspace: any number of collections at once, or one erasure or pruning alone."""

import fcntl
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from heptad.core.errors import ConflictError
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
def no_collecting(workspace: Workspace, *, wait: bool = True) -> Generator[None]:
    """Nobody collects while the block lasts; waits for those who do, or raises `ConflictError` where it shall not."""
    make_folder(workspace.folder)
    with ExitStack() as stack:
        try:
            stack.enter_context(
                locked(workspace.folder / _LOCK, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            )
        except BlockingIOError as error:
            raise ConflictError("Another process is collecting.", remedy="wait until it is done") from error
        yield
