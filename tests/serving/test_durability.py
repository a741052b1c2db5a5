"""Syncing and checkpoints beside the traffic."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from heptad.serving import durability
from heptad.serving.durability import Syncer, checkpoint, sync
from heptad.serving.journal import Journal, create_journal
from heptad.serving.messages import Part


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    create_journal(tmp_path / "journal.db")
    return Journal(tmp_path / "journal.db")


def test_a_commit_is_synced_within_the_interval(
    journal: Journal, part_of: Callable[..., Part], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each group of commits is synced once, soon after, and nothing is synced where nothing was committed."""
    synced: list[Path] = []
    monkeypatch.setattr(durability, "sync", synced.append)
    syncer = Syncer(journal)
    syncer.start()
    time.sleep(3 * durability.INTERVAL_SECONDS)
    assert synced == []
    journal.add([part_of("a")])
    journal.add([part_of("b")])
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


def test_syncing_a_journal_that_nobody_has_open_is_nothing_to_do(journal: Journal) -> None:
    """The last one to close a journal moved everything into the file."""
    journal.close()
    sync(journal.path)
