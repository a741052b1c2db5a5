"""Syncing and checkpoints beside the traffic."""

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from heptad.core.errors import UnavailableError
from heptad.serving import durability
from heptad.serving.durability import Syncer, WriteAheadLog, checkpoint
from heptad.serving.journal import Journal, create_journal
from heptad.serving.messages import Part


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    create_journal(tmp_path / "journal.db")
    return Journal(tmp_path / "journal.db")


def test_a_commit_is_synced_within_the_interval(
    journal: Journal, part_of: Callable[..., Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing is synced where nothing was committed."""
    synced: list[Path] = []
    monkeypatch.setattr(WriteAheadLog, "sync", lambda _: synced.append(journal.path))
    syncer = Syncer(journal)
    syncer.start()
    time.sleep(3 * durability.INTERVAL_SECONDS)
    assert synced == []
    journal.add([part_of("a")])
    time.sleep(3 * durability.INTERVAL_SECONDS)
    assert synced == [journal.path]
    syncer.stop()


def test_what_came_before_the_thread_ran_is_synced_at_once(
    journal: Journal, part_of: Callable[..., Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker answers as soon as it can; on a busy machine its thread begins later. A group of commits takes one."""
    synced: list[Path] = []
    monkeypatch.setattr(WriteAheadLog, "sync", lambda _: synced.append(journal.path))
    journal.add([part_of("a")])
    journal.add([part_of("b")])
    syncer = Syncer(journal)
    syncer.start()
    wait_until(lambda: synced)
    time.sleep(3 * durability.INTERVAL_SECONDS)
    assert synced == [journal.path]
    syncer.stop()


def test_stopping_leaves_everything_in_the_file_itself(journal: Journal, part_of: Callable[..., Part]) -> None:
    """At the end, the journal is synced and moved out of its write-ahead log."""
    syncer = Syncer(journal)
    syncer.start()
    journal.add([part_of("a")])
    syncer.stop()
    alone = journal.path.with_name("copy.db")
    alone.write_bytes(journal.path.read_bytes())
    assert sqlite3.connect(alone).execute("SELECT count(*) FROM answered").fetchone() == (1,)


def test_a_long_log_starts_again_from_its_beginning(
    journal: Journal, part_of: Callable[..., Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write-ahead log does not grow for ever under steady traffic."""
    monkeypatch.setattr(durability, "_LONGEST_WAL_PAGES", 10)
    connection = sqlite3.connect(journal.path, isolation_level=None)
    for number in range(40):
        journal.add([part_of(f"id-{number}")])
    grown = journal.path.with_name("journal.db-wal").stat().st_size
    checkpoint(connection)
    for number in range(40, 80):
        journal.add([part_of(f"id-{number}")])
    assert journal.path.with_name("journal.db-wal").stat().st_size <= grown * 1.2


def test_the_name_of_the_log_is_synced_too(
    journal: Journal, part_of: Callable[..., Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write-ahead log is a new file after each start: without its name in the folder it would be lost."""
    synced: list[Path] = []
    monkeypatch.setattr(os, "fdatasync", lambda file: synced.append(path_of(file)))
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(path_of(file)))
    journal.add([part_of("a")])
    with closing(WriteAheadLog(journal.path)) as written:
        written.sync()
    assert synced == [Path(f"{journal.path}-wal"), journal.path.parent]


def path_of(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()


def test_nothing_is_acknowledged_that_cannot_be_synced(
    journal: Journal, part_of: Callable[..., Part], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While the disk refuses to sync, answers are refused as retryable; once it does, they are given again."""
    broken = threading.Event()
    broken.set()

    def fail(_file: int) -> None:
        if broken.is_set():
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)
    monkeypatch.setattr(durability, "INTERVAL_SECONDS", 0.005)
    syncer = Syncer(journal)
    syncer.start()
    journal.add([part_of("a")])
    wait_until(lambda: journal.unsafe)
    with pytest.raises(UnavailableError, match="Input/output error"):
        journal.add([part_of("b")])
    time.sleep(0.05)
    assert caplog.text.count("Input/output error") == 1
    broken.clear()
    wait_until(lambda: not journal.unsafe)
    journal.add([part_of("b")])
    syncer.stop()


def test_a_checkpoint_that_fails_does_not_end_the_syncing(
    journal: Journal, part_of: Callable[..., Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever SQLite says to a checkpoint, what is written goes on being synced."""
    synced: list[Path] = []

    def fail(_connection: sqlite3.Connection) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(durability, "checkpoint", fail)
    monkeypatch.setattr(WriteAheadLog, "sync", lambda _: synced.append(journal.path))
    monkeypatch.setattr(durability, "INTERVAL_SECONDS", 0.005)
    monkeypatch.setattr(durability, "_CHECKPOINT_EVERY", 1)
    syncer = Syncer(journal)
    syncer.start()
    journal.add([part_of("a")])
    wait_until(lambda: synced)
    journal.add([part_of("b")])
    wait_until(lambda: len(synced) > 1)
    syncer.stop()


def wait_until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not holds() and time.monotonic() < end:
        time.sleep(0.005)
    assert holds()
