"""Turns at writing to a file: one process and thread at a time, in the order in which they came."""

import fcntl
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from heptad.core.errors import UnavailableError, WorkspaceError

TURN_SECONDS = 60.0
"""How long a writer waits for the others; one that is stopped in the middle holds up all of them."""


class Turns:
    """An exclusive `flock` on a file.

    The kernel wakes those who wait in their order, and lets go of the lock of a process that dies.
    """

    def __init__(self, path: Path, seconds: float = TURN_SECONDS) -> None:
        self.path = path
        self.seconds = seconds

    @contextmanager
    def next(self) -> Generator[None]:
        """Wait for a turn, and have it for as long as the block takes; raises `UnavailableError` after `seconds`."""
        try:
            # Opened anew each time: a lock belongs to an open file, so threads queue as processes do.
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise WorkspaceError(
                f"The lock file {self.path} cannot be opened: {error.strerror}.",
                remedy="Make the folder writable for this user.",
            ) from error
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if False:
            pass
        try:
            yield
        finally:
            os.close(descriptor)

    def _wait(self, descriptor: int) -> None:
        wait = _Wait(descriptor)
        if not wait.ends_within(self.seconds):
            raise UnavailableError(
                f"Another process has been writing for {self.seconds:g} seconds: it holds {self.path}.",
                remedy="Find it with `fuser` on that file; go on with it if it is stopped, or end it.",
            )


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class _Wait:
    """Waits for a lock in a thread, since `flock` itself knows no limit; given up, it closes what it gets."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._granted = threading.Event()
        self._mutex = threading.Lock()
        self._is_given_up = False
        threading.Thread(target=self._run, name="heptad-turn", daemon=True).start()

    def ends_within(self, seconds: float) -> bool:
        if self._granted.wait(seconds):
            return True
        with self._mutex:
            self._is_given_up = not self._granted.is_set()
        return not self._is_given_up

    def _run(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        with self._mutex:
            if self._is_given_up:
                os.close(self._descriptor)
            self._granted.set()
