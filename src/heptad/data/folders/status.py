"""How a folder differs from what its pointer says, and what to do about it."""

import os
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from heptad.core.artifacts import BlobStore
from heptad.core.errors import NotFoundError
from heptad.data.folders.changes import FolderChanges, changes_between
from heptad.data.folders.pointers import check_counts
from heptad.data.folders.records import Pointer
from heptad.data.folders.stored import read_stored
from heptad.data.folders.storing import Tell, silent, working
from heptad.data.folders.tree import digest_of_tree
from heptad.data.hash_cache import HashCache

State: TypeAlias = Literal["same", "changed", "pointer moved", "missing", "elsewhere"]
"""`changed`: somebody changed files since they were put in place. `pointer moved`: nobody did, and the pointer names
another version, for example after `git checkout`. `missing`: nothing is in place. `elsewhere`: the version is not in
this workspace."""
_NEXT: dict[State, str] = {
    "same": "",
    "changed": "heptad data add {name}",
    "pointer moved": "heptad data checkout",
    "missing": "heptad data checkout",
    "elsewhere": "heptad data pull",
}


class FolderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Whether what is in place is what the pointer says."""

    name: str
    state: State
    changes: FolderChanges = msgspec.field(default_factory=FolderChanges)
    """From the pointer's version to what is in place."""
    next: str = ""
    """The command that brings both together."""


def status_of(
    name: str, place: Path, pointer: Pointer, blobs: BlobStore, cache: HashCache, tell: Tell = silent
) -> FolderStatus:
    """Compare what is at `place` with the pointer; files that nobody touched since are not read.

    Raises `InputError` where the pointer contradicts itself.
    """
    there = working(place, name, cache, tell).entries if os.path.lexists(place) else None
    if there is not None and digest_of_tree(there) == pointer.digest:
        check_counts(name, pointer, there)
        return _status(name, "same")
    try:
        wanted = read_stored(blobs, pointer.stored, pointer.digest).entries
    except NotFoundError:
        return _status(name, "elsewhere")
    check_counts(name, pointer, wanted)
    if there is None:
        return _status(name, "missing", changes_between(wanted, []))
    placed = cache.placed(name)
    changes = changes_between(wanted, there)
    if placed and placed != pointer.stored and _is_as_placed(blobs, placed, digest_of_tree(there)):
        return _status(name, "pointer moved", changes)
    return _status(name, "changed", changes)


def _is_as_placed(blobs: BlobStore, placed: str, digest: str) -> bool:
    try:
        return read_stored(blobs, placed).root.digest == digest
    except NotFoundError:
        return False


def _status(name: str, state: State, changes: FolderChanges | None = None) -> FolderStatus:
    return FolderStatus(name=name, state=state, changes=changes or FolderChanges(), next=_NEXT[state].format(name=name))
