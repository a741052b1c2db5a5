"""Who may change what a stream has landed: one process at a time, and whether one lands now."""

import fcntl
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from heptad.core.errors import ConflictError, UnavailableError
from heptad.core.files import locked, make_folder, writing

LOCK = "_landing.lock"
"""Held by whoever changes the tables, or asks the broker. Names that begin like this are no part of a Delta table."""
LANDS = "_landing.lands"
"""Held besides by whoever lands. Who looks holds it for a moment, and so stands in nobody's way."""
BUSY = 60.0
"""Seconds that somebody is waited for who looks what is waiting, or takes people out."""
LET_IT = "let it; what it lands is there for everybody"
_LOOK_AGAIN = 0.05


class LandsElsewhereError(ConflictError):
    """Another process lands the stream, so that what it lands is there for everybody."""


@contextmanager
def changing_alone(folder: Path, stream: str, remedy: str, seconds: float = BUSY) -> Generator[None]:
    """Be the one who writes to the tables of a stream.

    Whoever has them for a moment, to look what is waiting or to take people out, is waited for, for so many seconds.
    Raises `LandsElsewhereError` with the remedy where a process lands the stream, `UnavailableError` where one is busy
    with it for longer.
    """
    ends = time.monotonic() + seconds
    with writing(folder):
        make_folder(folder)
    with ExitStack() as stack:
        while not _is_taken(stack, folder):
            if is_landing(folder):
                raise LandsElsewhereError(f"Another process lands {stream}.", remedy=remedy)
            if time.monotonic() >= ends:
                raise UnavailableError(
                    f"Another process is busy with what has landed of {stream}.", remedy="try again when it is done"
                )
            time.sleep(_LOOK_AGAIN)
        yield


@contextmanager
def landing_alone(folder: Path, stream: str, seconds: float) -> Generator[None]:
    """Be the one who lands a stream; raises as `changing_alone` does."""
    with changing_alone(folder, stream, LET_IT, seconds), locked(folder / LANDS):
        yield


def is_landing(folder: Path) -> bool:
    """Whether a living process lands into the table in `folder`."""
    if not (folder / LANDS).exists():
        return False
    try:
        with locked(folder / LANDS, fcntl.LOCK_SH | fcntl.LOCK_NB):
            return False
    except BlockingIOError:
        return True


def _is_taken(stack: ExitStack, folder: Path) -> bool:
    try:
        stack.enter_context(locked(folder / LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True
