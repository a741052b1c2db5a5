"""Transactions are whole or not at all, and there are connections for as many threads as ask."""

import gc
import os
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from heptad.core.errors import InputError, WorkspaceError
from heptad.core.query import Compare, Query
from heptad.core.records import AliasRef, Change
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


def open_connections(store: SqlStore) -> int:
    """How many files of SQLite this process has open, or how many sessions the server has for this store."""
    if store.url.startswith("sqlite"):
        return sum("other.db" in os.path.realpath(link) for link in Path("/proc/self/fd").iterdir())
    with store.database.reading() as transaction:
        return transaction.value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = current_setting('application_name')"
        )


def test_a_store_that_nobody_needs_closes_its_connections(store: SqlStore) -> None:
    """Without a warning of the driver."""
    store.follow(0)
    before = open_connections(store)
    others = [open_store(store.url.replace("heptad.db", "other.db")) for _ in range(4)]
    for other in others:
        other.follow(0)
    assert open_connections(store) >= before + 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del other, others
        gc.collect()
    end = time.monotonic() + 60
    while open_connections(store) > before and time.monotonic() < end:
        # The server needs a moment to see that a session has ended.
        time.sleep(0.05)
    assert open_connections(store) == before


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.get(["\udcff"]),
        lambda store: store.get(["a\x00b"]),
        lambda store: store.get([AliasRef("\udcff", "a\x00b")]),
        lambda store: store.trace(["\udcff"], "out"),
        lambda store: store.find(Query(kind="\udcff")),
        lambda store: store.find(Query(kind="run", where=Compare("k", "=", "a\x00\udcff"))),
        lambda store: store.find(Query(kind="run", where=Compare("k", "=", 10**400))),
        lambda store: store.find(Query(kind="run", where=Compare("k", "in", [10**400]))),
        lambda store: store.find(Query(kind="run"), limit=2**70),
        lambda store: store.read("\udcff", "k"),
    ],
)
def test_what_no_store_can_hold_is_a_wrong_input(store: SqlStore, ask: Callable[[SqlStore], object]) -> None:
    """Ids and values come from users: what cannot be looked up is their mistake, not the database's."""
    store.write(Change(records=[record("r1", {"k": 1})]))
    with pytest.raises(InputError):
        ask(store)
    assert store.get(["r1"])


def test_a_place_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    """Also where the trouble only shows when a connection is made."""
    (tmp_path / "heptad.db").mkdir()
    with pytest.raises(WorkspaceError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path / 'heptad.db'}")
