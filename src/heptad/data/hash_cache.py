"""Remembers the digests of files by inode, size and times, so that what nobody touched is not read again."""

import os
import sqlite3
import time
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from heptad.core.files import make_folder, writing

TICK, SECOND = 50_000_000, 2_000_000_000
"""Nanoseconds that a file has to be left alone before its times can be believed: a second write within one tick of the
file system's clock changes nothing that can be seen. Some file systems count in seconds, or in two."""
_TABLES = """
CREATE TABLE IF NOT EXISTS file (
    folder TEXT, path BLOB, inode INTEGER, size INTEGER, written INTEGER, changed INTEGER, digest BLOB,
    PRIMARY KEY (folder, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS placed (folder TEXT PRIMARY KEY, stored TEXT) WITHOUT ROWID;
"""


class Stamp(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Changes whenever a file is written, replaced, or given other permissions; times in nanoseconds."""

    inode: int
    size: int
    written: int
    changed: int

    @staticmethod
    def of(status: os.stat_result) -> "Stamp":
        # SQLite has no whole numbers above 63 bits, and some file systems number beyond them.
        inode = status.st_ino & 0x7FFF_FFFF_FFFF_FFFF
        return Stamp(inode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A file as it was when its digest was computed."""

    stamp: Stamp
    digest: bytes


class HashCache:
    """One SQLite file, which may be deleted at any time: then everything is read once more. Processes share it."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def locks(self) -> Path:
        """Where whoever replaces a folder holds a lock."""
        return self._file.parent / "locks"

    def recall(self, folder: str) -> dict[bytes, Seen]:
        """What is remembered of the files in a folder, by path."""
        if not self._file.exists():
            return {}
        query = "SELECT path, inode, size, written, changed, digest FROM file WHERE folder = ?"
        with self._opened() as database:
            return {path: Seen(Stamp(*stamp), digest) for path, *stamp, digest in database.execute(query, (folder,))}

    def remember(self, folder: str, files: Mapping[bytes, Seen], gone: Collection[bytes] = ()) -> None:
        """Note files that were read just now, and forget some; what was written a moment ago is not believed yet."""
        now = time.time_ns()
        rows = [
            (folder, path, *msgspec.structs.astuple(seen.stamp), seen.digest)
            for path, seen in files.items()
            if is_settled(seen.stamp, now)
        ]
        if not rows and not gone:
            return
        with self._opened() as database:
            database.executemany("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            database.executemany("DELETE FROM file WHERE folder = ? AND path = ?", _pairs(folder, gone))

    def placed(self, folder: str) -> str:
        """The version that was last stored from this folder or put into it; empty where that is not known."""
        if not self._file.exists():
            return ""
        with self._opened() as database:
            row = database.execute("SELECT stored FROM placed WHERE folder = ?", (folder,)).fetchone()
        return str(row[0]) if row else ""

    def place(self, folder: str, stored: str) -> None:
        """Note the version that the folder holds now."""
        with self._opened() as database:
            database.execute("INSERT OR REPLACE INTO placed VALUES (?, ?)", (folder, stored))

    @contextmanager
    def _opened(self) -> Generator[sqlite3.Connection]:
        """The database in a transaction; one that is damaged is made anew."""
        with writing(self._file.parent):
            make_folder(self._file.parent)
        try:
            database = self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            for path in self._file.parent.glob(f"{self._file.name}*"):
                path.unlink(missing_ok=True)
            database = self._connect()
        with closing(database), database:
            yield database

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file, timeout=60)
        try:
            # A power cut may take the last notes; what is left is whole.
            database.executescript(f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; {_TABLES}")
        except sqlite3.Error:
            database.close()
            raise
        return database


def is_settled(stamp: Stamp, now: int) -> bool:
    """Whether a file with this stamp was left alone long enough before `now`, in nanoseconds, to be told by it.

    >>> is_settled(Stamp(1, 10, 1_000_000_001, 1_000_000_001), 1_000_000_100)
    False
    """
    newest = max(stamp.written, stamp.changed)
    return now - newest > (SECOND if stamp.written % 1_000_000_000 == 0 else TICK)


def _pairs(folder: str, paths: Iterable[bytes]) -> Iterator[tuple[str, bytes]]:
    return ((folder, path) for path in paths)
