"""A session that only reads, and sees one state of the database however long it reads."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.pool import NullPool

from heptad.adapters.databases.addresses import Address
from heptad.adapters.databases.failures import SLOW, told
from heptad.core.errors import UnavailableError

CONNECT_SECONDS = 10
LOCK_SECONDS = 30
"""How long to wait for somebody else's lock, unless the time for all is shorter."""
LIBPQ = {
    "connect_timeout": f"{CONNECT_SECONDS}",
    "keepalives_idle": "20",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "60000",
}
"""For PostgreSQL: a connection that has died is noticed within a minute."""
_RANGES = (3904, 3906, 3908, 3910, 3912, 3926, 4451, 4532, 4533, 4534, 4535, 4536)
_ADDRESSES = (869, 650)
POSTGRESQL_TEXTS: dict[Any, str] = (
    {114: "JSON", 3802: "JSON", 2249: "rows"}
    | dict.fromkeys(_RANGES, "ranges")
    | dict.fromkeys(_ADDRESSES, "network addresses")
)
"""Number of a type to what it holds: the driver would make objects of it, whose text is not the database's."""
_INSTRUCTIONS = 10_000
"""Instructions of SQLite between two looks at the clock."""
_LIMIT_MARIADB = sa.text("SET SESSION max_statement_time = :value")
_LIMIT_MYSQL = sa.text("SET SESSION max_execution_time = :value")
_LOCKS_MYSQL = sa.text(
    "SET SESSION lock_wait_timeout = :lock, innodb_lock_wait_timeout = :lock, time_zone = '+00\\:00'"
)


class Session:
    """An open snapshot of one database, and how long it may be used."""

    def __init__(self, connection: Connection, address: Address, seconds: float) -> None:
        self.connection = connection
        self.address = address
        self.dialect = address.dialect
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def abandon(self) -> None:
        """To be called before a stream is closed that was not read to its end."""
        if self.dialect in {"mysql", "mariadb"} and not self.connection.closed and not self.connection.invalidated:
            _abandon_stream(self.connection.connection.driver_connection)

    def check_time(self) -> None:
        """Raises `UnavailableError` once the time is over; for servers whose limit is one a statement."""
        if time.monotonic() > self._end:
            raise UnavailableError(f"The database {self.address.where} {SLOW.problem}.", remedy=SLOW.remedy)


@contextmanager
def snapshot(address: Address, seconds: float) -> Iterator[Session]:
    """A session in which nothing can be written and every query sees the same rows; all of it may take `seconds`."""
    with told(address.where, address.secrets):
        engine = sa.create_engine(address.url, poolclass=NullPool, **_CONNECT.get(address.dialect, _plain)(address))
        with ExitStack() as end:
            connection = end.enter_context(engine.connect())
            try:
                _BEGIN.get(address.dialect, _begin)(connection, seconds, end)
                yield Session(connection, address, seconds)
            except BaseException:
                # Closing in order would first read what is left of a stream.
                connection.invalidate()
                raise


def _plain(address: Address) -> dict[str, Any]:
    del address
    return {}


def _connect_postgresql(address: Address) -> dict[str, Any]:
    del address
    return {"connect_args": LIBPQ, "isolation_level": "REPEATABLE READ"}


def _connect_mysql(address: Address) -> dict[str, Any]:
    del address
    return {"connect_args": {"connect_timeout": CONNECT_SECONDS}}


def _connect_sqlite(address: Address) -> dict[str, Any]:
    path = address.path
    assert path is not None
    uri = f"{path.as_uri()}?mode=ro"
    return {"creator": lambda: sqlite3.connect(uri, uri=True, timeout=CONNECT_SECONDS, check_same_thread=False)}


def _connect_duckdb(address: Address) -> dict[str, Any]:
    del address
    return {"connect_args": {"read_only": True}}


_CONNECT: dict[str, Callable[[Address], dict[str, Any]]] = {
    "postgresql": _connect_postgresql,
    "mysql": _connect_mysql,
    "mariadb": _connect_mysql,
    "sqlite": _connect_sqlite,
    "duckdb": _connect_duckdb,
}


def _begin(connection: Connection, seconds: float, end: ExitStack) -> None:
    """Other databases keep their own isolation; what a query changed is rolled back at the end."""
    del seconds, end
    connection.begin()


def _begin_postgresql(connection: Connection, seconds: float, end: ExitStack) -> None:
    del end
    from psycopg.types.string import TextLoader  # noqa: PLC0415 - only PostgreSQL needs it

    connection.execution_options(postgresql_readonly=True)
    connection.execute(session_settings(seconds))
    driver: Any = connection.connection.driver_connection
    for kind in POSTGRESQL_TEXTS:
        driver.adapters.register_loader(kind, TextLoader)


def session_settings(seconds: float) -> sa.Select[Any]:
    """The statement that makes a session of PostgreSQL one that only reads, for so long."""
    settings = {
        "statement_timeout": f"{int(seconds * 1000)}",
        "lock_timeout": f"{int(min(seconds, LOCK_SECONDS) * 1000)}",
        "timezone": "UTC",
        # All rows of a cursor are wanted, not the first ones soon.
        "cursor_tuple_fraction": "1",
        # Also for whatever follows a COMMIT that a query smuggles in.
        "default_transaction_read_only": "on",
    }
    return sa.select(*(sa.func.set_config(name, value, sa.false()) for name, value in settings.items()))


def _begin_mysql(connection: Connection, seconds: float, end: ExitStack) -> None:
    end.callback(_abandon_stream, connection.connection.driver_connection)
    lock = max(1, int(min(seconds, LOCK_SECONDS)))
    mariadb = bool(getattr(connection.dialect, "is_mariadb", False))
    limit, value = (_LIMIT_MARIADB, seconds) if mariadb else (_LIMIT_MYSQL, int(seconds * 1000))
    connection.execute(limit, {"value": value})
    connection.execute(_LOCKS_MYSQL, {"lock": lock})
    connection.execute(sa.text("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    connection.execute(sa.text("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"))


def _abandon_stream(driver: Any) -> None:
    """A stream that was not read to its end would be read to it when it is forgotten, from a closed connection."""
    if driver._result is not None:  # noqa: SLF001 - the driver has no other way
        driver._result.unbuffered_active = False  # noqa: SLF001


def _begin_sqlite(connection: Connection, seconds: float, end: ExitStack) -> None:
    del end
    last = time.monotonic() + seconds
    driver: Any = connection.connection.driver_connection
    driver.set_progress_handler(lambda: time.monotonic() > last, _INSTRUCTIONS)
    connection.exec_driver_sql("PRAGMA query_only = ON")
    connection.exec_driver_sql("BEGIN")


def _begin_duckdb(connection: Connection, seconds: float, end: ExitStack) -> None:
    driver: Any = connection.connection.driver_connection
    timer = threading.Timer(seconds, driver.interrupt)
    timer.daemon = True
    timer.start()
    end.callback(timer.cancel)


_BEGIN: dict[str, Callable[[Connection, float, ExitStack], None]] = {
    "postgresql": _begin_postgresql,
    "mysql": _begin_mysql,
    "mariadb": _begin_mysql,
    "sqlite": _begin_sqlite,
    "duckdb": _begin_duckdb,
}
