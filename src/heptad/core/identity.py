"""Who acts: every record and event carries an actor."""

import getpass
import os
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_actor: ContextVar[str] = ContextVar("heptad_actor", default="")


def current_actor() -> str:
    """The actor in force: set by `acting_as`, else the user of the operating system (`user:NAME`)."""
    return _actor.get() or f"user:{_os_user()}"


@contextmanager
def acting_as(actor: str) -> Generator[None]:
    """Act in the name of `actor` (`plan:ID`, `token:NAME`, `user:NAME`) inside the block."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def _os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number without a name.
        return str(os.getuid())
