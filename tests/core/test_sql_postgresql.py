"""A PostgreSQL server that is away, comes back, or has no such database."""

import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import psycopg
import pytest

from heptad.core import sql_postgresql
from heptad.core.errors import InputError, UnavailableError, WorkspaceError
from heptad.core.records import Change, NewEvent
from heptad.core.sql_store import SqlStore, open_store
from heptad.core.sql_writer import MANY
from heptad.testing.store_contract import record

pytestmark = pytest.mark.parametrize("store", ["postgresql"], indirect=True)


def test_a_server_that_is_away_may_be_tried_again(store: SqlStore) -> None:
    """The error is retryable, and shows no password."""
    with pytest.raises(UnavailableError, match="did not answer") as caught:
        open_store("postgresql://me:secret@127.0.0.1:1/heptad")
    assert "secret" not in str(caught.value)


def test_a_database_that_is_not_there_is_said(store: SqlStore, postgresql_server: str) -> None:
    """With the command that makes one."""
    url = postgresql_server.replace("/test", "/nowhere").replace("/postgres?", "/nowhere?")
    with pytest.raises(WorkspaceError, match="nowhere") as caught:
        open_store(url)
    assert "createdb" in caught.value.remedy


def test_sessions_that_the_server_ended_are_replaced(store: SqlStore, postgresql_server: str) -> None:
    """After a restart of the server the next call works, without opening the store again."""
    store.write(Change(records=[record("r1")]))
    with store.database.reading() as transaction:
        pid = transaction.value("SELECT pg_backend_pid()")
    with psycopg.connect(postgresql_server, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    assert store.get(["r1"])


def test_a_session_that_ends_in_the_middle_leaves_nothing(store: SqlStore, postgresql_server: str) -> None:
    """The error may pass by itself, and half of the change is not there."""

    def write() -> None:
        with store.database.writing() as transaction:
            transaction.run("INSERT INTO cursor (name, position) VALUES ('half', 1)")
            pid = transaction.value("SELECT pg_backend_pid()")
            with psycopg.connect(postgresql_server, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s)", [pid])
            transaction.run("INSERT INTO cursor (name, position) VALUES ('done', 1)")

    with pytest.raises(UnavailableError):
        write()
    with store.database.reading() as transaction:
        assert transaction.rows("SELECT * FROM cursor") == []


def test_plans_know_what_the_tables_hold(store: SqlStore) -> None:
    """Statistics are gathered as the store grows, since the server itself may take a minute to look."""
    store.write(Change(records=[record(f"r{n}", {"n": n}) for n in range(MANY + 30)]))
    with store.database.reading() as transaction:
        estimate = transaction.value("SELECT reltuples FROM pg_class WHERE oid = 'record'::regclass")
    assert estimate == MANY + 30


def test_a_writer_does_not_wait_for_ever(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another one stands still in the middle of a change, the error says that trying again may help."""
    monkeypatch.setattr(sql_postgresql, "STATEMENT_SECONDS", 1)
    impatient = open_store(store.url)
    with store.database.writing() as transaction:
        transaction.rows("SELECT * FROM tail FOR UPDATE")
        with pytest.raises(UnavailableError):
            impatient.write(Change(records=[record("r1")]))
    impatient.write(Change(records=[record("r1")]))


def test_a_missing_driver_is_named(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "heptad.core.sql_postgresql")
    with pytest.raises(WorkspaceError, match="psycopg") as caught:
        open_store(store.url)
    assert "heptad[postgresql]" in caught.value.remedy


def test_text_that_postgresql_refuses_is_refused_before(store: SqlStore) -> None:
    """A NUL in text is an `InputError` on both databases."""
    with pytest.raises(InputError, match=r"U\+0000"):
        store.write(Change(records=[record("r1", {"name": "a\x00b"})]))


@pytest.mark.parametrize("level", ["repeatable\\ read", "serializable"])
def test_the_servers_defaults_change_nothing(store: SqlStore, level: str) -> None:
    """Writers queue on a server whose transactions are stricter by default, and nobody is told to try again."""
    strict = open_store(store.url + quote(f" -cdefault_transaction_isolation={level}"))

    def write(number: int) -> None:
        strict.write(Change(records=[record(f"r{number}")], events=[NewEvent(kind="t.x", subject=f"r{number}")]))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(40)))
    assert store.write(Change()) == 40
    strict.database.close()


def test_a_password_in_any_place_is_not_shown(store: SqlStore) -> None:
    """Also where it is given behind the question mark."""
    with pytest.raises(UnavailableError) as caught:
        open_store("postgresql://me@127.0.0.1:1/heptad?password=secret")
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
