"""What the store asks of a database, and the pool of connections that both kinds answer with."""

import os
import weakref
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import Pool, PoolProxiedConnection

from heptad.core.sql_errors import translated
from heptad.core.sql_transaction import Transaction

_inherited: list[Pool] = []
"""Pools of a parent process. Their connections must be neither used nor closed here: closing would unlock a
SQLite file under the parent, or end its session with a server."""


class Database(Protocol):
    """One SQLite file or one PostgreSQL schema. Safe to use from many threads, and in the children of a fork."""

    where: str
    """What messages call it: a path, or a URL without its password."""

    def reading(self) -> AbstractContextManager[Transaction]:
        """A transaction that sees one state of the database, whatever is written meanwhile."""
        ...

    def writing(self, *, durable: bool = True) -> AbstractContextManager[Transaction]:
        """The one writing transaction; committed, and durable, when the block ends without an error.

        With `durable=False` it survives `kill -9` at once, and a power cut after 100 ms.
        """
        ...

    def now(self, transaction: Transaction) -> int:
        """Microseconds since 1970 by the one clock that all users of this database share; leases expire by it."""
        ...

    def has_table(self, transaction: Transaction, name: str) -> bool:
        """Whether the table is there."""
        ...

    def snapshot(self, transaction: Transaction, label: str) -> str:
        """Copy everything before a migration; answers where the copy is."""
        ...

    def close(self) -> None:
        """Give every connection back; the next use opens new ones."""
        ...


class ConnectionPool:
    """Transactions on connections that are opened once, used by one thread at a time, and left alone after a fork.

    The errors of the database are raised in the words of Heptad.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self._where = where
        self._driver: Any = engine.dialect.dbapi
        self._belong_here()

    @contextmanager
    def transaction(self, begin: str, turn: AbstractContextManager[None] | None = None) -> Generator[Transaction]:
        """Begin with that statement; commit where the block ends without an error, else roll back.

        All of it, but no more, happens within the `turn`.
        """
        connection = self._connect()
        try:
            with turn or nullcontext():
                yield from self._within(connection, begin)
        except self._driver.Error as error:
            connection.invalidate()
            raise translated(error, self._where) from error
        finally:
            connection.close()

    def close(self) -> None:
        self._engine.dispose()

    def _within(self, connection: PoolProxiedConnection, begin: str) -> Generator[Transaction]:
        cursor: Any = connection.cursor()
        cursor.execute(begin)
        try:
            yield Transaction(cursor, self._engine.dialect)
        except BaseException:
            connection.rollback()
            raise
        cursor.execute("COMMIT")

    def _connect(self) -> PoolProxiedConnection:
        if os.getpid() != self._process:
            _inherited.append(self._engine.pool)
            self._engine.dispose(close=False)
            self._closer.detach()
            self._belong_here()
        try:
            return self._engine.raw_connection()
        except DBAPIError as error:
            raise translated(error.orig, self._where) from error
        except self._driver.Error as error:
            raise translated(error, self._where) from error

    def _belong_here(self) -> None:
        """Connections are closed when nobody needs them any more, by the process that opened them."""
        self._process = os.getpid()
        self._closer = weakref.finalize(self, _dispose, self._engine, self._process)


def _dispose(engine: Engine, process: int) -> None:
    if os.getpid() == process:
        engine.dispose()
