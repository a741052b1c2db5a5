"""A SQLite file for many processes at once: writers queue on a lock file and share their syncs."""

import functools
import os
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from heptad.core.errors import WorkspaceError
from heptad.core.faults import boundary
from heptad.core.files import locked, make_folder, sync_folder, writing
from heptad.core.sql_database import ConnectionPool
from heptad.core.sql_errors import translated
from heptad.core.sql_transaction import Transaction

BUSY_SECONDS = 10
"""How long SQLite tries again where another program holds the file."""
PRAGMAS = ("synchronous=NORMAL", "temp_store=MEMORY", "cache_size=-65536", "wal_autocheckpoint=4000")
"""Of the page cache 64 MiB at most; of the log 16 MiB, since a page that changes often is then copied less often."""


class SqliteDatabase:
    """Transactions on one file in WAL mode; see `Database`.

    Turns: SQLite lets waiting writers sleep and try again, so under load one of them may wait for a second.
    Here a writer first takes an exclusive lock on a file beside the database (`files.locked`). (A process that is
    stopped in the middle of a transaction holds up the others until it goes on: such a lock knows no limit.)

    Durability: a commit with `synchronous=NORMAL` leaves its frames in the write-ahead log unsynced. The
    writer gives its turn away, and then calls `fdatasync` on the log while the next one writes already: the
    syncs of several writers overlap, and the file system serves them together. When the call returns, every
    commit made before it is durable, because either its frames are still in the log, which is on the disk up
    to there and is replayed after a power cut; or somebody has checkpointed the log since, and SQLite
    overwrites no frame before it has synced the log, copied the pages, and synced the database file. The log
    is not removed meanwhile, since only the last connection does that, and our pool keeps one open.
    A commit is visible to others before it is durable, but whoever acts on it and writes syncs it with
    their own: the log is synced as a whole.

    Nothing else in a process that uses the file may open and close it: that would drop SQLite's own locks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)
        self._lock = path.with_name(f"{path.name}-lock")
        self._log = LogSync(path.with_name(f"{path.name}-wal"))
        # Asked of the folder: SQLite keeps its log beside the file.
        self._is_read_only = path.exists() and not os.access(path.parent, os.W_OK)
        connect = functools.partial(_connected, path, is_read_only=self._is_read_only)
        self._pool = ConnectionPool("sqlite", self.where, connect, sqlite3.Error)
        if not path.exists() or not path.stat().st_size:
            self._create()

    @contextmanager
    def reading(self) -> Generator[Transaction]:
        with self._pool.transaction("BEGIN") as transaction:
            yield transaction

    @contextmanager
    def writing(self, *, durable: bool = True) -> Generator[Transaction]:
        if self._is_read_only:
            raise WorkspaceError(
                f"The folder {self.path.parent} is read-only: nothing can be written to {self.path.name}.",
                remedy="Make the folder writable for this user, or work on a copy.",
            )
        with self._pool.transaction("BEGIN IMMEDIATE", locked(self._lock)) as transaction:
            yield transaction
            boundary("store.before_commit")
        if durable:
            self._log.sync()
        else:
            self._log.sync_soon()
        boundary("store.after_commit")

    def now(self, transaction: Transaction) -> int:  # noqa: ARG002 - all users share this machine's clock
        return time.time_ns() // 1000

    def has_table(self, transaction: Transaction, name: str) -> bool:
        return bool(transaction.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", name))

    def snapshot(self, transaction: Transaction, label: str) -> str:  # noqa: ARG002 - read beside the writer
        copy = self.path.with_name(f"{self.path.name}.{label}")
        self.copy_to(copy)
        return str(copy)

    def copy_to(self, path: Path) -> None:
        """Write what is committed now to another file, whole or not at all; others read and write meanwhile."""
        temporary = path.with_name(f"{path.name}.part")
        temporary.unlink(missing_ok=True)
        source, target = sqlite3.connect(self.path), sqlite3.connect(temporary)
        try:
            source.backup(target)
        except sqlite3.Error as error:
            raise translated(error, self.where) from error
        finally:
            source.close()
            target.close()
        _sync_file(temporary)
        temporary.replace(path)
        sync_folder(path.parent)

    def close(self) -> None:
        self._log.sync()
        self._pool.close()

    def _create(self) -> None:
        """Make the file, alone: while SQLite changes a file to WAL mode, others are told at once that it is busy."""
        with writing(self.path.parent):
            make_folder(self.path.parent)
            with self._pool.transaction("BEGIN", locked(self._lock)):
                sync_folder(self.path.parent)


def _connected(path: Path, *, is_read_only: bool) -> sqlite3.Connection:
    options = ""
    if is_read_only:
        # Nobody can write while the folder is read-only; where there is a log, it must still be read.
        options = "?mode=ro" if path.with_name(f"{path.name}-wal").exists() else "?immutable=1"
    connection = sqlite3.connect(
        f"file:{quote(str(path))}{options}",
        uri=True,
        timeout=BUSY_SECONDS,
        check_same_thread=False,
        # The driver must not begin transactions by itself.
        isolation_level=None,
    )
    for pragma in PRAGMAS if is_read_only else (*PRAGMAS, "journal_mode=WAL"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class LogSync:
    """Syncs a write-ahead log, at once or in the background, within a tenth of a second."""

    PAUSE_SECONDS = 0.05

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mutex = threading.Lock()
        self._is_due = False
        self._thread: threading.Thread | None = None
        self._failure: WorkspaceError | None = None

    def sync(self) -> None:
        """Returns when everything that was written to the log is on the disk."""
        try:
            _sync_file(self.path)
        except FileNotFoundError:
            # The last connection checkpointed and removed it: all of it is in the database file.
            return
        except OSError as error:
            raise WorkspaceError(
                f"{self.path} could not be synced: {error.strerror}.", remedy="Check the disk."
            ) from error

    def sync_soon(self) -> None:
        """Returns at once. A thread syncs soon; the program's end waits for it. Raises what went wrong before."""
        with self._mutex:
            if self._failure is not None:
                raise self._failure
            self._is_due = True
            # After a fork the parent's thread is not alive here.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._sync_until_idle, name="heptad-sync")
                self._thread.start()

    def _sync_until_idle(self) -> None:
        while True:
            time.sleep(self.PAUSE_SECONDS)
            with self._mutex:
                if not self._is_due:
                    self._thread = None
                    return
                self._is_due = False
            try:
                self.sync()
            except WorkspaceError as error:
                self._failure = error


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
