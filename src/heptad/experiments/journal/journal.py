"""The journal of one writer of a run: what is appended survives the process at once, and a power cut soon after."""

import errno
import fcntl
import os
import shutil
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, Self

from blake3 import blake3

from heptad.core.errors import InputError, RefusedError
from heptad.core.files import sync_folder, writing
from heptad.core.records import Id
from heptad.experiments.journal import entries
from heptad.experiments.journal.entries import HEADER, MAGIC, Update

FOLDER = "journals"
"""In the workspace: one folder for each writer of each run, `RUN.WRITER`, until all of it is in the store."""
MAIN = "main"
"""The writer whose series carry no mark: whoever began the run, or went on with it later."""
FILES, OUTPUT = "files", "output"
OUTPUT_PATH = "output.txt"
"""Where the output of a run is among its files."""
LARGEST = 32 << 20
"""Bytes after which another file is begun, so that what is shipped can be let go of."""
_CHUNK = 4 << 20
_PATIENCE = 1.0
_ENDING = ".journal"


class Series:
    """A series as its writer knows it: its number in the journal, and how many points it has."""

    __slots__ = ("count", "key", "number")

    def __init__(self, number: int, key: str, count: int) -> None:
        self.number, self.key, self.count = number, key, count


class Journal:
    """Appends entries with one `write` each, so that they are the kernel's when `add_points` returns.

    Safe to use from many threads. What the file system refuses (a full disk) is not raised: `lost` counts the
    entries and `trouble` says why; an entry that was cut short is taken back, and later ones are written again as
    soon as there is room. `sync` makes what was appended survive a power cut.
    """

    def __init__(self, folder: Path, starts: Mapping[str, int], mark: str, lock: int) -> None:
        self.folder = folder
        self.lost = 0
        self.trouble = ""
        self.dirty = False
        self.number = max((int(path.stem) for path in files_of(folder)), default=-1)
        self._mark = mark
        self._starts = starts
        self._series: dict[str, Series] = {}
        self._guard = threading.Lock()
        self._lock = lock
        self._file = -1
        self._size = 0
        self._begin_file(self.number + 1)

    @classmethod
    def create(cls, root: Path, run: Id, writer: str = MAIN, starts: Mapping[str, int] | None = None) -> Self:
        """The journal of a writer below `root`, held by this process as long as it lives.

        `starts` are the lengths of series that the store has. Raises `RefusedError` where a living process holds it.
        """
        folder = root / f"{run}.{writer}"
        with writing(root):
            lock, give_up = None, time.monotonic() + _PATIENCE
            while lock is None and time.monotonic() < give_up:
                # Whoever looks for what others left may hold it for a moment, and remove an empty one.
                folder.mkdir(parents=True, exist_ok=True)
                lock = hold(folder)
                if lock is None:
                    time.sleep(0.01)
            if lock is None:
                raise RefusedError(f"Another process logs to run {run} now.")
            return cls(folder, starts or {}, "" if writer == MAIN else writer, lock)

    def add_points(self, metrics: Mapping[str, float], step: int | None, at: float) -> None:
        """Append a point to each series."""
        with self._guard:
            if self._size > LARGEST:
                self._rotate()
            found = self._series
            new = b""
            touched = []
            values = []
            for name, value in metrics.items():
                series = found.get(name)
                if series is None:
                    series = self._define(name)
                    new += entries.definition(series.number, series.count, series.key)
                touched.append(series)
                values.append((series.number, series.count if step is None else step, value))
            if self._write(new + entries.points(at, values), len(values)):
                for series in touched:
                    series.count += 1

    def add(self, update: Update) -> None:
        """Append an update."""
        with self._guard:
            self._write(entries.update(update), 1)

    def check(self, names: Mapping[str, float]) -> None:
        """Refuse a name that no series can have, before anything of the call is appended."""
        check_names([self._key(name) for name in names if name not in self._series])

    def stage(self, content: bytes | BinaryIO) -> str:
        """Keep bytes beside the journal until they are shipped; answers their digest, also where there is no room."""
        folder = self.folder / FILES
        temporary = folder / f".{os.urandom(6).hex()}"
        hasher = blake3()
        try:
            folder.mkdir(exist_ok=True)
            with temporary.open("wb") as file:
                for part in [content] if isinstance(content, bytes) else iter(lambda: content.read(_CHUNK), b""):
                    hasher.update(part)
                    file.write(part)
                file.flush()
                os.fsync(file.fileno())
            digest = hasher.hexdigest()
            temporary.replace(folder / digest)
            sync_folder(folder)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            self._lose(error, 1)
            return ""
        return digest

    def sync(self) -> None:
        """Make what was appended survive a power cut."""
        if not self.dirty:
            return
        self.dirty = False
        with self._guard:
            if self._file < 0:
                return
            descriptor = os.dup(self._file)
        try:
            os.fdatasync(descriptor)
        except OSError as error:
            self._lose(error, 0)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Let go of the files and of the lock; whoever ships what others left may take it from here."""
        with self._guard:
            if self._file >= 0:
                os.close(self._file)
                release(self._lock)
                self._file = -1

    def _key(self, name: str) -> str:
        if not self._mark or not name:
            return name
        inner = f"{name[:-1]},process={self._mark}]"
        return inner if name.endswith("]") else f"{name}[process={self._mark}]"

    def _define(self, name: str) -> Series:
        key = self._key(name)
        series = Series(len(self._series), key, self._starts.get(key, 0))
        self._series[name] = series
        return series

    def _write(self, data: bytes, count: int) -> bool:
        """Append `data` whole, or nothing; answers whether it is there."""
        try:
            _write_whole(self._file, data)
        except OSError as error:
            if self._file >= 0:
                os.ftruncate(self._file, self._size)
            self._forget_new()
            self._lose(error, count)
            return False
        self._size += len(data)
        self.dirty = True
        self.trouble = ""
        return True

    def _rotate(self) -> None:
        try:
            self._begin_file(self.number + 1)
        except OSError as error:
            # There is no room for another file: this one is gone on with.
            self.trouble = error.strerror or str(error)

    def _forget_new(self) -> None:
        """Let every series be defined anew: a definition may have been in what was not written."""
        self._starts = {**self._starts, **{one.key: one.count for one in self._series.values()}}
        self._series = {}

    def _lose(self, error: OSError, count: int) -> None:
        self.lost += count
        self.trouble = error.strerror or str(error)

    def _begin_file(self, number: int) -> None:
        path = self.folder / file_name(number)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o644)
        try:
            _write_whole(descriptor, MAGIC + os.urandom(8).hex().encode() + b"\n")
        except OSError:
            os.close(descriptor)
            path.unlink()
            raise
        if self._file >= 0:
            os.fdatasync(self._file)
            os.close(self._file)
        self._file, self._size, self.number = descriptor, HEADER, number
        self._forget_new()


_LONGEST_KEY = 512 - len("metrics.")


def check_names(names: Iterable[str]) -> None:
    """Refuse names that no series can have; raises `InputError`."""
    for name in names:
        if (
            not isinstance(name, str)
            or not name
            or len(name.encode(errors="surrogatepass")) > _LONGEST_KEY
            or _unstorable(name)
        ):
            raise InputError(
                f"{name!r:.62} is no name for a metric.",
                allowed=f"1 to {_LONGEST_KEY} bytes of UTF-8 without NUL and lone surrogates",
            )


def _write_whole(descriptor: int, data: bytes) -> None:
    """One `write`; one that came short means that the disk is full, and the next call would say so."""
    if os.write(descriptor, data) < len(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _unstorable(key: str) -> bool:
    return "\0" in key or any("\ud800" <= one <= "\udfff" for one in key)


def file_name(number: int) -> str:
    return f"{number:06}{_ENDING}"


def files_of(folder: Path) -> list[Path]:
    """The files of a journal, oldest first."""
    return sorted(path for path in folder.iterdir() if path.name.endswith(_ENDING))


def hold(folder: Path) -> int | None:
    """Lock the folder of a journal; `None` where a living process holds it, or it has gone meanwhile."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever shipped it may have removed it, and somebody else made it anew, while we waited for the lock.
        if os.fstat(descriptor).st_ino == folder.stat().st_ino:
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(descriptor)
    return None


def release(lock: int) -> None:
    """Unlock a journal's folder; said, not only closed: a forked child has the same open file."""
    fcntl.flock(lock, fcntl.LOCK_UN)
    os.close(lock)


def remove(folder: Path) -> None:
    """Remove a journal of which everything is in the store; to be done under its lock."""
    # Renamed first: half a journal would be shipped as if it were whole.
    gone = folder.with_name(f".{folder.name}.{os.urandom(4).hex()}")
    folder.rename(gone)
    shutil.rmtree(gone)


def journals_below(root: Path, run: Id = "") -> list[Path]:
    """The folders of journals below `root`, of one run or of all."""
    folders = sorted(root.iterdir()) if root.is_dir() else []
    return [folder for folder in folders if folder.name.startswith(f"{run}." if run else "run-")]
