"""Files replaced whole: written beside, synced, renamed, so that a reader sees the old or the new one."""

import ctypes
import errno
import os
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from heptad.core.errors import InputError, WorkspaceError
from heptad.core.faults import boundary

_REFUSALS = {
    errno.ENOSPC: ("is full", "Free some space there and do the same again; what was stored before is whole."),
    errno.EDQUOT: ("has used up its quota", "Free some space there and do the same again; what was stored is whole."),
    errno.EROFS: ("is read-only", "Mount it writable, or work on a copy."),
    errno.EACCES: ("may not be written by this user", "Change its owner or its permissions."),
    errno.EPERM: ("may not be written by this user", "Change its owner or its permissions."),
}
"""What a file system says no with, in words, and what helps."""

_FEW = 16
"""So many files are synced one by one: a sync of the whole file system also waits for what others wrote."""


@contextmanager
def writing(place: Path) -> Generator[None]:
    """Around writes below `place`: whatever the file system refuses becomes a `WorkspaceError` that says so."""
    try:
        yield
    except OSError as error:
        what, remedy = _REFUSALS.get(error.errno or 0, (f"cannot be written: {error.strerror or error}", ""))
        raise WorkspaceError(f"{place} {what}.", remedy=remedy) from error


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace `path` by `data` durably; raises `WorkspaceError`, leaving the old file as it was."""
    with writing(path.parent):
        make_folder(path.parent)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            boundary("file.before_rename")
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    boundary("file.after_rename")


def make_folder(folder: Path) -> None:
    """Make `folder` and what is missing above it, durably."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable, as a rename alone does not."""
    with _opened(folder) as descriptor:
        os.fsync(descriptor)


def sync_files(folder: Path, files: Sequence[Path]) -> None:
    """Make files (and the names in folders) inside `folder` durable: many with one sync, where the system has one."""
    sync_all = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if len(files) <= _FEW or sync_all is None:
        for file in files:
            with _opened(file) as descriptor:
                os.fsync(descriptor)
        return
    with _opened(folder) as descriptor:
        if sync_all(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


@contextmanager
def _opened(path: Path) -> Generator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def confined(folder: Path, name: str) -> Path:
    """The path of `name` inside `folder`; refuses absolute names, `..` and links that lead outside."""
    root = folder.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root) or path == root:
        raise InputError(f"The name {name!r} leads outside of {folder}.", allowed="a relative name inside the folder")
    return path
