"""Files replaced whole: written beside, synced, renamed, so that a reader sees the old or the new one."""

import errno
import fcntl
import os
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from heptad.core.errors import InputError, RefusedError, WorkspaceError
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


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """A file beside `path` to write into, which then replaces it durably; after an error the old file is as it was."""
    with writing(path.parent):
        if path.is_dir():
            raise InputError(f"{path} is a folder, and a file is to be written.", allowed="the name of a file")
        make_folder(path.parent)
        temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
        try:
            yield temporary
            with _opened(temporary) as descriptor:
                os.fsync(descriptor)
            boundary("file.before_rename")
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    boundary("file.after_rename")


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace `path` by `data` durably; raises `WorkspaceError`, leaving the old file as it was."""
    with replacing(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)


@contextmanager
def locked(path: Path, kind: int = fcntl.LOCK_EX) -> Generator[None]:
    """Hold a lock on a file that is made for it and stays; `BlockingIOError` where `kind` says not to wait for others.

    The system wakes those who wait, and lets go of the lock of a process that dies. Threads queue as processes do.
    """
    with writing(path.parent):
        # Opened anew each time: a lock belongs to an open file.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        # Said, not only closed: a process forked meanwhile has the same open file, and would keep the lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


@contextmanager
def one_process(path: Path, doing: str) -> Generator[None]:
    """Hold the lock file at `path` while the block runs; `RefusedError` where a living process is `doing` it there."""
    with writing(path.parent):
        make_folder(path.parent)
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            raise RefusedError(
                f"The process {path.read_text(encoding='utf-8')} is {doing} in {path.parent} now.",
                remedy="wait for it, or stop it and do this again",
            ) from None
        path.write_text(str(os.getpid()), encoding="utf-8")
        yield


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
    if len(files) > _FEW:
        import ctypes  # noqa: PLC0415 - only many files need it

        sync_all = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if sync_all is not None:
            with _opened(folder) as descriptor:
                if sync_all(descriptor) != 0:
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
            return
    for file in files:
        with _opened(file) as descriptor:
            os.fsync(descriptor)


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
