"""What sources keep of people in the workspace, outside of the cache; also those that heptad.toml names no more."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from heptad.core import catalogue
from heptad.data.erasing.subjects import Subjects


class ForgetKept(Protocol):
    """Removes people from what all sources of one kind keep; registered in the group `heptad.kept`.

    What is there is found in the workspace, not in the settings: a source may be declared no more.
    """

    def __call__(
        self, folder: Path, subjects: Subjects, entities: Sequence[Subjects] = (), *, dry_run: bool = False
    ) -> int:
        """Remove their rows, and every old file that has them, from below the workspace's folder; answers how many.

        Rows are theirs by `Subjects.condition_or`: in tables without the columns that name them, by their entities.
        With `dry_run` they are only counted. Interrupted and done again, it finishes; nothing outside is changed.
        """
        ...


def count_kept(folder: Path, subjects: Subjects, entities: Sequence[Subjects] = ()) -> int:
    """How many of their rows sources keep."""
    return sum(act(folder, subjects, entities, dry_run=True) for act in _all())


def forget_kept(folder: Path, subjects: Subjects, entities: Sequence[Subjects] = ()) -> int:
    """Remove them; answers how many there were. Whoever read a source before has to open it anew."""
    return sum(act(folder, subjects, entities) for act in _all())


def _all() -> list[ForgetKept]:
    return [catalogue.find("kept", name) for name in sorted(catalogue.known("kept"))]
