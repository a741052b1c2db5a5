"""What the store asks of a database, and the pool of connections that both kinds answer with."""

import os
import weakref
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol, TypeAlias

from heptad.core.errors import HeptadError, InputError
from heptad.core.sql_errors import translated
from heptad.core.sql_transaction import Cursor, Kind, Transaction

KEPT = 5
"""So many connections are kept open while nobody uses them."""


class Database(Protocol):
    """One SQLite file or one PostgreSQL schema. Safe to use from many threads, and in the children of a fork."""

    where: str
    """What messages call it: a path, or the parameters of a connection without its password."""

    def reading(self) -> AbstractContextManager[Transaction]:
        """A transaction that sees one state of the database, whatever is written meanwhile."""
        ...

    def writing(self, *, durable: bool = True) -> AbstractContextManager[Transaction]:
        """A writing transaction; committed, and durable, when the block ends without an error.

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
        """Close every connection; the next use opens new ones."""
        ...


Connection: TypeAlias = Any
"""Of `sqlite3` or `psycopg`."""

_inherited: list[list[Connection]] = []
"""Connections of a parent process. They must be neither used nor closed here: closing would unlock a SQLite file
under the parent, or end its session with a server."""


class ConnectionPool:
    """Transactions on connections that are opened once, used by one thread at a time, and left alone after a fork.

    The errors of the database are raised in the words of Heptad. `connect` must not hold whatever holds the pool:
    connections are closed when nobody needs the pool any more.
    """

    def __init__(self, kind: Kind, where: str, connect: Callable[[], Connection], error: type[Exception]) -> None:
        self._kind: Kind = kind
        self._where = where
        self._connect = connect
        self._error = error
        self._belong_here()

    @contextmanager
    def transaction(self, begin: str, turn: AbstractContextManager[None] | None = None) -> Generator[Transaction]:
        """Begin with that statement; commit where the block ends without an error, else roll back.

        All of it, but no more, happens within the `turn`.
        """
        try:
            with turn or nullcontext():
                connection, cursor = self._begun(begin)
                try:
                    yield Transaction(cursor, self._kind)
                    cursor.execute("COMMIT")
                except HeptadError:
                    connection.rollback()
                    self._give_back(connection)
                    raise
                except BaseException:
                    # Whatever state it is in: closing it rolls back.
                    connection.close()
                    raise
                self._give_back(connection)
        except self._error as error:
            raise translated(error, self._where) from error
        except (UnicodeEncodeError, OverflowError) as error:
            raise InputError(
                f"A value cannot be looked up or stored: {error}.", allowed="Unicode text, numbers of 64 bits"
            ) from error

    def close(self) -> None:
        _close_all(self._idle, self._process)

    def _begun(self, begin: str) -> tuple[Connection, Cursor]:
        """A connection with a transaction. The server may have ended sessions that stood idle: they are replaced."""
        while True:
            connection, is_new = self._take()
            try:
                cursor = connection.cursor()
                cursor.execute(begin)
            except self._error:
                was_lost = getattr(connection, "closed", False)
                connection.close()
                if is_new or not was_lost:
                    raise
            else:
                return connection, cursor

    def _take(self) -> tuple[Connection, bool]:
        if os.getpid() != self._process:
            _inherited.append(self._idle)
            self._belong_here()
        try:
            return self._idle.pop(), False
        except IndexError:
            return self._connect(), True

    def _give_back(self, connection: Connection) -> None:
        if len(self._idle) < KEPT:
            self._idle.append(connection)
        else:
            connection.close()

    def _belong_here(self) -> None:
        self._process = os.getpid()
        self._idle: list[Connection] = []
        weakref.finalize(self, _close_all, self._idle, self._process)


def _close_all(connections: list[Connection], process: int) -> None:
    """Close what belongs to this process."""
    while connections and os.getpid() == process:
        connections.pop().close()
