"""Makes the journal survive a power cut, beside the traffic: syncs it every 100 ms and moves it out of its WAL."""

import logging
import os
import sqlite3
import threading
from pathlib import Path

from heptad.serving.journal import Journal

INTERVAL_SECONDS = 0.05
"""With the sync itself, what was acknowledged is on the disk after at most 100 ms."""
_CHECKPOINT_EVERY = 20
"""Intervals between two checkpoints."""
_LONGEST_WAL_PAGES = 16_384
"""64 MB: then writers are held up for a moment, so that the WAL starts from its beginning again."""

_log = logging.getLogger("heptad.serving")


class Syncer:
    """A thread that does for one worker's journal what no client should wait for."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-sync", daemon=True)

    def start(self) -> None:
        self._log = WriteAheadLog(self._journal.path)
        self._thread.start()

    def stop(self) -> None:
        """Sync once more, and end."""
        self._stop.set()
        self._thread.join()
        self._log.close()

    def _run(self) -> None:
        checkpoints = sqlite3.connect(self._journal.path, isolation_level=None, timeout=1.0)
        # What was written before this thread came to run, it syncs too.
        synced, checkpointed, interval = 0, -1, 0
        try:
            while True:
                stopping = self._stop.wait(INTERVAL_SECONDS)
                interval += 1
                written = self._journal.written
                try:
                    if written != synced:
                        self._log.sync()
                        synced = written
                    self._tell("")
                    if written != checkpointed and (stopping or interval % _CHECKPOINT_EVERY == 0):
                        checkpoint(checkpoints)
                        checkpointed = written
                except OSError as error:
                    # Nothing more is acknowledged until a sync succeeds.
                    self._tell(error.strerror or str(error))
                except sqlite3.Error as error:
                    _log.warning("the journal could not be moved out of its WAL: %s", error)
                if stopping:
                    return
        finally:
            checkpoints.close()

    def _tell(self, unsafe: str) -> None:
        if unsafe and unsafe != self._journal.unsafe:
            _log.error("the journal cannot be synced: %s", unsafe)
        self._journal.unsafe = unsafe


class WriteAheadLog:
    """The file that commits to a journal go to first, kept open: where descriptors run out, it can still be synced.

    It is the same file as long as anybody has the journal open, and a new one after that, so its name is synced too.
    """

    def __init__(self, journal: Path) -> None:
        self._file = os.open(f"{journal}-wal", os.O_RDONLY)
        self._folder = os.open(journal.parent, os.O_RDONLY)

    def sync(self) -> None:
        """Everything that was committed is on the disk when this returns."""
        os.fdatasync(self._file)
        os.fsync(self._folder)

    def close(self) -> None:
        os.close(self._file)
        os.close(self._folder)


def checkpoint(connection: sqlite3.Connection) -> None:
    """Move what is in the WAL into the file, without holding up writers unless the WAL has grown long."""
    _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    if pages > _LONGEST_WAL_PAGES:
        connection.execute("PRAGMA wal_checkpoint(RESTART)")
