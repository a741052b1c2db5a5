"""Looks through a folder: what is in it, and what of it cannot be kept."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from heptad.core.errors import InputError, NotFoundError
from heptad.data.folders.tree import Entry, Kind, shown_path, stays_inside
from heptad.data.hash_cache import Stamp

_MOST_NAMED = 10
"""Paths that an error names."""
POINTER = b".heptad"


class Found(msgspec.Struct, frozen=True, gc=False):
    """What is at a path; a file has a stamp, and its content has not been read."""

    path: bytes
    kind: Kind
    stamp: Stamp | None = None
    target: bytes = b""

    def as_entry(self, digest: bytes = b"") -> Entry:
        """What it is in a tree."""
        return Entry(self.path, self.kind, self.stamp.size if self.stamp else 0, digest, self.target)


def look_at(place: Path) -> list[Found]:
    """Everything in a folder, sorted by path; a file by itself is found at the empty path.

    Links are kept as links, and not followed. Raises `InputError` with everything that cannot be kept: links that lead
    outside, devices, sockets, pipes, what may not be read, pointers of other data.
    """
    top = os.fsencode(place)
    try:
        status = os.lstat(top)
    except FileNotFoundError:
        names = [one.name for one in place.parent.iterdir()] if place.parent.is_dir() else []
        there = [name for name in names if not name.startswith(".") and not name.endswith(os.fsdecode(POINTER))]
        raise NotFoundError("file or folder", str(place), there) from None
    problems: list[str] = []
    if stat.S_ISDIR(status.st_mode):
        found = sorted(_inside(top, b"", problems), key=lambda one: one.path)
    else:
        found = [one for one in [_found(b"", top, status, problems)] if one]
        if found and found[0].kind == "l":
            problems.append(f"{shown_path(top)} is itself a link")
    if problems:
        problems.sort()
        more = [f"and {len(problems) - _MOST_NAMED:,} more"] if len(problems) > _MOST_NAMED else []
        raise InputError(
            f"{place} holds what cannot be kept: {'; '.join([*problems[:_MOST_NAMED], *more])}.",
            allowed="files that may be read, folders, and links that stay inside, with .. only at their beginning",
            remedy="move these elsewhere, or put copies in their place",
        )
    return found


def _inside(top: bytes, folder: bytes, problems: list[str]) -> Iterator[Found]:
    # A list instead of recursion: folders may be deeper than Python's stack.
    waiting = [folder]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(os.path.join(top, folder)) as listing:
                entries = list(listing)
        except PermissionError:
            problems.append(f"{shown_path(folder) or '.'} may not be listed by this user")
            continue
        except FileNotFoundError:
            continue  # somebody removed it meanwhile
        if not entries and folder:
            yield Found(folder, "d")
        prefix = folder + b"/" if folder else b""
        for entry in entries:
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
                continue
            try:
                found = _found(path, entry.path, entry.stat(follow_symlinks=False), problems)
            except FileNotFoundError:
                continue
            if found:
                yield found


def _found(path: bytes, where: bytes, status: os.stat_result, problems: list[str]) -> Found | None:
    mode = status.st_mode
    if stat.S_ISREG(mode):
        if path.endswith(POINTER):
            problems.append(f"{shown_path(path)} is the pointer of other data, which would be kept twice")
        return Found(path, "x" if mode & stat.S_IXUSR else "f", Stamp.of(status))
    if stat.S_ISLNK(mode):
        target = os.readlink(where)
        if not stays_inside(path, target):
            problems.append(f"{shown_path(path)} is a link to {shown_path(target)}")
        return Found(path, "l", target=target)
    problems.append(f"{shown_path(path) or shown_path(where)} is no file")
    return None
