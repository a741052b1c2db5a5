"""The tables' version: made once, migrated with a snapshot before, refused when newer."""

import subprocess
import sys
from pathlib import Path

import pytest

from heptad.core.errors import IntegrityError, WorkspaceError
from heptad.core.records import Change
from heptad.core.sql_schema import VERSION, prepare
from heptad.core.sql_store import SqlStore, open_store
from heptad.core.sql_transaction import Transaction
from heptad.testing.store_contract import record


def add_a_column(transaction: Transaction) -> None:
    transaction.run("ALTER TABLE record ADD COLUMN note TEXT")


def fail(transaction: Transaction) -> None:
    add_a_column(transaction)
    raise RuntimeError("in the middle")


def version_of(store: SqlStore) -> str:
    with store.database.reading() as transaction:
        return transaction.value("SELECT value FROM meta WHERE key = 'schema'")


def test_an_old_store_is_migrated_after_a_snapshot(store_url: str) -> None:
    """Every step runs, the version is the new one, and a copy of what was before is kept."""
    store = open_store(store_url)
    store.write(Change(records=[record("r1")]))
    prepare(store.database, VERSION + 2, {VERSION: lambda _: None, VERSION + 1: add_a_column})
    assert version_of(store) == str(VERSION + 2)
    with store.database.reading() as transaction:
        assert transaction.rows("SELECT id, note FROM record") == [("r1", None)]
        kept = (
            open_store(f"{store_url}.before-schema-{VERSION + 2}").get(["r1"])
            if store_url.startswith("sqlite")
            else transaction.rows(f'SELECT id FROM "{snapshot_schema(transaction)}".record')
        )
    assert len(kept) == 1
    store.database.close()


def snapshot_schema(transaction: Transaction) -> str:
    return transaction.value(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, current_schema() || '_before')"
    )


def test_a_migration_that_fails_changes_nothing(store_url: str) -> None:
    """It is one transaction: the old program can go on with the store."""
    store = open_store(store_url)
    store.write(Change(records=[record("r1")]))
    with pytest.raises(RuntimeError, match="in the middle"):
        prepare(store.database, VERSION + 1, {VERSION: fail})
    assert version_of(store) == str(VERSION)
    with store.database.reading() as transaction:
        assert len(transaction.rows("SELECT * FROM record")[0]) == 6
    assert open_store(store_url).get(["r1"])
    store.database.close()


def test_a_newer_store_is_refused(store: SqlStore) -> None:
    """In plain words, with the remedy, and nothing is changed."""
    with store.database.writing() as transaction:
        transaction.run("UPDATE meta SET value = '7' WHERE key = 'schema'")
    try:
        with pytest.raises(WorkspaceError, match=f"has schema 7; this program knows schemas up to {VERSION}") as caught:
            open_store(store.url)
        assert "upgrade" in caught.value.remedy
        assert version_of(store) == "7"
    finally:
        with store.database.writing() as transaction:
            transaction.run("UPDATE meta SET value = ? WHERE key = 'schema'", str(VERSION))


def test_tables_of_somebody_else_are_no_store(tmp_path: Path) -> None:
    """A database whose `meta` says nothing of a schema is left alone."""
    store = open_store(f"sqlite:///{tmp_path / 'heptad.db'}")
    with store.database.writing() as transaction:
        transaction.run("DELETE FROM meta")
    with pytest.raises(IntegrityError, match="None"):
        open_store(store.url)


def test_programs_that_start_at_once_make_one_store(store_url: str) -> None:
    """One makes the tables, the others wait and find them."""
    code = "import sys; from heptad.core.sql_store import open_store; open_store(sys.argv[1]).follow(0)"
    started = [subprocess.Popen([sys.executable, "-c", code, store_url], stderr=subprocess.PIPE) for _ in range(4)]
    assert [(process.communicate()[1], process.returncode) for process in started] == [(b"", 0)] * 4
