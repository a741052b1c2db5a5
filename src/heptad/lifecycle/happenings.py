"""What is told to whoever watches a run or a loop, as it happens."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from heptad.core.records import Id


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done, for whoever watches: the step, a sentence, and the record that says more."""

    step: str
    sentence: str
    record: Id = ""


Watcher: TypeAlias = Callable[[Happening], None]


def unwatched(happening: Happening) -> None:
    """Nobody watches; the records say it all."""
