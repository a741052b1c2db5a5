"""Connections that are opened once, used by one thread at a time, and left alone on the other side of a fork."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import Pool, PoolProxiedConnection

from heptad.core.sql_errors import translated
from heptad.core.sql_transaction import Transaction

_inherited: list[Pool] = []
"""Pools of a parent process. Their connections must be neither used nor closed here: closing would unlock a
SQLite file under the parent, or end its session with a server."""


class ConnectionPool:
    """Transactions on connections of an engine, with the database's errors in the words of Heptad."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where
        self._process = os.getpid()
        self._driver: Any = engine.dialect.dbapi

    @contextmanager
    def transaction(self, begin: str) -> Generator[Transaction]:
        """Begin with that statement; commit where the block ends without an error, else roll back."""
        connection = self._connect()
        try:
            cursor: Any = connection.cursor()
            cursor.execute(begin)
            yield Transaction(cursor, self._engine.dialect)
            cursor.execute("COMMIT")
        except self._driver.Error as error:
            connection.invalidate()
            raise translated(error, self._where) from error
        finally:
            # Rolls back whatever was not committed.
            connection.close()

    def close(self) -> None:
        self._engine.dispose()

    def _connect(self) -> PoolProxiedConnection:
        if os.getpid() != self._process:
            _inherited.append(self._engine.pool)
            self._engine.dispose(close=False)
            self._process = os.getpid()
        try:
            return self._engine.raw_connection()
        except DBAPIError as error:
            raise translated(error.orig, self._where) from error
        except self._driver.Error as error:
            raise translated(error, self._where) from error
