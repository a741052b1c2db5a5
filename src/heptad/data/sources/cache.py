"""Files made of sources once and kept: what was unpacked, converted or downloaded. It may be deleted at any time."""

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from blake3 import blake3

from heptad.core.files import make_folder, write_atomically, writing

_NOTE = "note"
KEPT_DAYS = 7
"""A file of an older version of a source is removed when nobody has asked for it so long."""


class SourceCache:
    """A folder of files, each named by what it was made of; several processes may share it.

    A file appears whole or not at all. Two that make the same one at the same time both work, and the last one stays.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, origin: str, version: str, make: Callable[[Path], None]) -> Path:
        """The file that `make` writes for one version of `origin`; made only where it is not there yet."""
        folder = self._of(origin)
        path = folder / _name(version)
        if path.is_file():
            os.utime(path)
            return path
        with writing(folder):
            make_folder(folder)
            descriptor, name = tempfile.mkstemp(prefix=".", dir=folder)
            os.close(descriptor)
        made = Path(name)
        try:
            make(made)
            with writing(folder):
                made.replace(path)
        finally:
            made.unlink(missing_ok=True)
        _remove_old(folder)
        return path

    def remember(self, origin: str, note: bytes) -> None:
        """Keep a note about `origin` beside its files, in place of the one before."""
        write_atomically(self._of(origin) / _NOTE, note)

    def recall(self, origin: str) -> bytes:
        """The note about `origin`; empty where there is none."""
        try:
            return (self._of(origin) / _NOTE).read_bytes()
        except FileNotFoundError:
            return b""

    def holds(self, origin: str, version: str) -> bool:
        """Whether the file of this version is there."""
        return (self._of(origin) / _name(version)).is_file()

    def is_ours(self, file: Path) -> bool:
        """Whether a file was downloaded, unpacked or converted into here."""
        return file.is_relative_to(self._folder)

    def made_of(self, file: Path, how: str, make: Callable[[Path], None]) -> Path:
        """What `make` writes of a local file as it is now; `how` names the way."""
        return self.keep(f"{file.absolute()}\n{how}", self._version(file), make)

    def folder_made_of(self, file: Path, how: str, make: Callable[[Path], None]) -> Path:
        """A folder of files that `make` writes of a local file as it is now; it appears whole or not at all too."""
        folder = self._of(f"{file.absolute()}\n{how}")
        path = folder / _name(self._version(file))
        if path.is_dir():
            os.utime(path)
            return path
        with writing(folder):
            make_folder(folder)
            made = Path(tempfile.mkdtemp(prefix=".", dir=folder))
        try:
            with writing(made):
                make(made)
                with suppress(OSError):  # another process was faster, and its files are as good
                    made.rename(path)
        finally:
            shutil.rmtree(made, ignore_errors=True)
        _remove_old(folder)
        return path

    def _version(self, file: Path) -> str:
        # What is in here never changes, and is touched whenever it is used.
        return "" if self.is_ours(file) else "-".join(map(str, stamp(file)))

    def _of(self, origin: str) -> Path:
        return self._folder / _name(origin)


def _name(text: str) -> str:
    return blake3(text.encode()).hexdigest()[:32]


def stamp(path: Path) -> tuple[int, int, int]:
    """Changes whenever a file is written or replaced: inode, size, time of change in nanoseconds."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def content_digest(path: Path) -> bytes:
    """BLAKE3 of a file's content, read in pieces, since a file that is mapped counts as memory under a `ulimit`."""
    digest = blake3()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.digest()


@cache
def passing_folder() -> Path:
    """A folder that goes with this process, for reading outside of a workspace."""
    folder = Path(tempfile.mkdtemp(prefix="heptad-sources-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _remove_old(folder: Path) -> None:
    oldest = time.time() - KEPT_DAYS * 86_400
    for path in folder.iterdir():
        try:
            if path.stat().st_mtime < oldest:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        except FileNotFoundError:
            continue  # another process was faster
