"""Transactions are whole or not at all, and there are connections for as many threads as ask."""

import gc
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from heptad.core.errors import WorkspaceError
from heptad.core.records import Change
from heptad.core.sql_store import SqlStore, open_store
from heptad.testing.store_contract import record


def test_a_transaction_that_raises_is_rolled_back(store: SqlStore) -> None:
    """Whatever was raised goes on to the caller as it is, and the next transaction begins anew."""

    def fail() -> None:
        with store.database.writing() as transaction:
            transaction.run("INSERT INTO cursor (name, position) VALUES ('half', 1)")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with store.database.reading() as transaction:
        assert transaction.rows("SELECT * FROM cursor") == []


def test_errors_of_the_driver_are_those_of_heptad(store: SqlStore) -> None:
    """A statement that fails names the database, and the connection is not used again."""
    with pytest.raises(Exception, match="nowhere") as caught, store.database.reading() as transaction:
        transaction.rows("SELECT * FROM nowhere")
    assert caught.type.__module__ == "heptad.core.errors"
    assert store.follow(0) == []


def test_a_reader_sees_one_state(store: SqlStore) -> None:
    """What is written while it reads, it does not see."""
    with store.database.reading() as transaction:
        before = transaction.value("SELECT count(*) FROM record")
        store.write(Change(records=[record("r1")]))
        assert transaction.value("SELECT count(*) FROM record") == before == 0
    assert store.get(["r1"])


def test_many_threads_read_at_once(store: SqlStore) -> None:
    """Twenty at the same time, more than the pool keeps."""
    together = threading.Barrier(20)

    def read(_: int) -> int:
        with store.database.reading() as transaction:
            together.wait(30)
            return transaction.value("SELECT 1")

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(read, range(20))) == [1] * 20


def test_a_store_that_nobody_needs_closes_its_connections(store: SqlStore) -> None:
    """Without a warning of the driver."""
    other = open_store(store.url)
    other.follow(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del other
        gc.collect()
    assert store.follow(0) == []


def test_a_place_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    """Also where the trouble only shows when a connection is made."""
    (tmp_path / "heptad.db").mkdir()
    with pytest.raises(WorkspaceError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path / 'heptad.db'}")
