"""Who acts: every record and event carries an actor."""

import functools
import getpass
import os
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from heptad.core.errors import InputError

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


def as_reason(text: str) -> str:
    """The reason without spaces around it; raises `InputError` for one that says nothing."""
    reason = " ".join(text.split())
    if len(reason.split()) < 2:
        raise InputError(
            f"{text!r} is no reason.", allowed="a sentence", remedy="say in a few words why, for whoever asks later"
        )
    return reason


@functools.cache
def _os_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number without a name.
        return str(os.getuid())
