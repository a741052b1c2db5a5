"""Databases to read: SQLite and DuckDB in files, a real PostgreSQL, and MariaDB where one answers."""

import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymysql
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from tests.core.conftest import postgresql_server, postgresql_url

from heptad.adapters.databases import source as source_module
from heptad.adapters.databases.source import DatabaseSource
from heptad.data import Place, SourceSettings, open_source

__all__ = ["postgresql_server", "postgresql_url"]

MARIADB = "mysql://root@127.0.0.1:3306/test"

Run = Callable[..., None]
OpenSource = Callable[..., DatabaseSource]


def where_mariadb_is() -> str:
    """The URL of a server that answers; empty where there is none."""
    url = os.environ.get("HEPTAD_TEST_MARIADB", MARIADB)
    parts = urlsplit(url)
    with suppress(pymysql.MySQLError, OSError):
        pymysql.connect(host=parts.hostname, port=parts.port or 3306, user=parts.username, connect_timeout=2).close()
        return url
    return ""


@pytest.fixture(scope="session")
def mariadb_server() -> str:
    url = where_mariadb_is()
    if not url:
        pytest.skip("no MariaDB answers on 127.0.0.1:3306")
    return url


@pytest.fixture
def mariadb_url(mariadb_server: str) -> Generator[str]:
    """The URL of an empty database."""
    name = f"heptad_{secrets.token_hex(6)}"
    parts = urlsplit(mariadb_server)
    server = pymysql.connect(host=parts.hostname, port=parts.port or 3306, user=parts.username, autocommit=True)
    server.query(f"CREATE DATABASE {name}")
    yield mariadb_server.rpartition("/")[0] + f"/{name}"
    server.query(f"DROP DATABASE {name}")
    server.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    sqlite3.connect(tmp_path / "rows.db").close()
    return "sqlite:///rows.db"


@pytest.fixture
def duckdb_url(tmp_path: Path) -> str:
    import duckdb

    duckdb.connect(str(tmp_path / "rows.duckdb")).close()
    return "duckdb:///rows.duckdb"


@pytest.fixture(params=["sqlite", "duckdb", "postgresql", "mariadb"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs statements in a database, committed one by one."""

    def ran(url: str, *statements: str) -> None:
        parsed = make_url(url)
        driver = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}.get(parsed.drivername)
        parsed = parsed.set(drivername=driver) if driver else parsed.set(database=str(tmp_path / str(parsed.database)))
        engine = sa.create_engine(parsed, poolclass=sa.pool.NullPool)
        for statement in statements:
            with engine.begin() as connection:
                connection.execute(sa.text(statement.replace(":", r"\:")))
        engine.dispose()

    return ran


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenSource:
    """A source that looks again each time, and does not wait long before it tries again."""
    monkeypatch.setattr(source_module, "PAUSE", 0.01)

    def found(url: str, **settings: Any) -> DatabaseSource:
        given = SourceSettings(uri=url, **{"refresh": "0s", **settings})
        source = open_source(given, Place(root=tmp_path))
        assert isinstance(source, DatabaseSource)
        return source

    return found


class Cuts:
    """Where the connections through a proxy are cut: each after so many bytes of answers."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set()

    def set(self, *after: int) -> None:
        self._file.write_text("\n".join(map(str, after)))

    @property
    def left(self) -> int:
        return len(self._file.read_text().split())


@contextmanager
def proxied(url: str, folder: Path) -> Iterator[tuple[str, Cuts]]:
    """The URL of the same database through a proxy."""
    parsed = make_url(url)
    if not parsed.host:
        pytest.skip("the server is not reached by TCP")
    cuts = Cuts(folder / "cuts")
    command = [sys.executable, Path(__file__).with_name("proxy.py"), parsed.host, f"{parsed.port}", folder / "cuts"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            yield parsed.set(host="127.0.0.1", port=port).render_as_string(hide_password=False), cuts
        finally:
            process.kill()
