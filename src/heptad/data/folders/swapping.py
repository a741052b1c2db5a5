"""One folder or file put in place of another in one step, and what killed processes left beside it cleared away."""

import ctypes
import errno
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from heptad.core.faults import boundary
from heptad.core.files import locked, make_folder, sync_folder, writing
from heptad.core.records import digest_of

_HERE, _EXCHANGE = -100, 2
"""See `man 2 renameat2`: paths are relative to the present folder, and the two names are exchanged."""
_CANNOT = {errno.ENOSYS, errno.EINVAL, errno.ENOTSUP}
_OLD = ".old"


@contextmanager
def replacing_tree(place: Path, locks: Path) -> Generator[Path]:
    """A new path beside `place` to make a folder or file at, which then takes its place; what was there is there then.

    Whoever looks sees the old one or the new one. After an error the old one is as it was. Two that replace the
    same one queue. The caller removes what it finds at the path when it is done with it, or the next one does.
    """
    with writing(place.parent):
        make_folder(place.parent)
        make_folder(locks)
    with locked(_lock(place, locks)), writing(place.parent):
        _clear(place)
        new = place.with_name(f"{_prefix(place)}{os.urandom(6).hex()}")
        try:
            yield new
            boundary("folder.before_swap")
            if os.path.lexists(place):
                _exchange(place, new)
            else:
                new.rename(place)
        except BaseException:
            remove(new)
            raise
        sync_folder(place.parent)
        boundary("folder.after_swap")


def clear_leftovers(place: Path, locks: Path) -> None:
    """Remove what processes left beside `place` that were killed while they replaced it."""
    with writing(place.parent):
        make_folder(locks)
    with locked(_lock(place, locks)), writing(place.parent):
        _clear(place)


def remove(path: Path) -> None:
    """Remove a folder or file, whichever it is."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _lock(place: Path, locks: Path) -> Path:
    return locks / f"{digest_of(os.fsencode(place.absolute()))[:32]}.lock"


def _prefix(place: Path) -> str:
    return f".{place.name}.heptad-"


def _exchange(place: Path, new: Path) -> None:
    """Give two paths each other's name; where the system cannot do so at once, in steps that `_clear` can take back."""
    exchange = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if exchange is not None:
        if exchange(_HERE, os.fsencode(new), _HERE, os.fsencode(place), _EXCHANGE) == 0:
            return
        if ctypes.get_errno() not in _CANNOT:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    old = new.with_name(new.name + _OLD)
    place.rename(old)
    new.rename(place)
    old.rename(new)


def _clear(place: Path) -> None:
    """Remove what killed processes left; where one was killed between two renames, the old folder is put back."""
    left = sorted(one for one in place.parent.iterdir() if one.name.startswith(_prefix(place)))
    old = [one for one in left if one.name.endswith(_OLD)]
    if old and not os.path.lexists(place):
        old[0].rename(place)
        left.remove(old[0])
    for one in left:
        remove(one)
