"""Makes the journal survive a power cut, beside the traffic: syncs it every 100 ms and moves it out of its WAL."""

import logging
import os
import sqlite3
import threading
from pathlib import Path

from heptad.serving.journal import Journal

INTERVAL_SECONDS = 0.1
"""What was acknowledged this long ago is on the disk."""
_CHECKPOINT_EVERY = 10
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
        self._thread.start()

    def stop(self) -> None:
        """Sync once more, and end."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        checkpoints = sqlite3.connect(self._journal.path, isolation_level=None, timeout=1.0)
        synced, checkpointed, interval = self._journal.written, -1, 0
        try:
            while True:
                stopping = self._stop.wait(INTERVAL_SECONDS)
                interval += 1
                written = self._journal.written
                try:
                    if written != synced:
                        sync(self._journal.path)
                        synced = written
                    if written != checkpointed and (stopping or interval % _CHECKPOINT_EVERY == 0):
                        checkpoint(checkpoints)
                        checkpointed = written
                except (OSError, sqlite3.OperationalError) as error:
                    # The next interval tries again; what was committed stays safe from everything but a power cut.
                    _log.warning("the journal could not be synced: %s", error)
                if stopping:
                    return
        finally:
            checkpoints.close()


def sync(path: Path) -> None:
    """Everything that was committed to the journal at `path` is on the disk when this returns."""
    try:
        descriptor = os.open(f"{path}-wal", os.O_RDONLY)
    except FileNotFoundError:
        return  # the last to close it moved all of it into the file itself, and synced that
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def checkpoint(connection: sqlite3.Connection) -> None:
    """Move what is in the WAL into the file, without holding up writers unless the WAL has grown long."""
    _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    if pages > _LONGEST_WAL_PAGES:
        connection.execute("PRAGMA wal_checkpoint(RESTART)")
