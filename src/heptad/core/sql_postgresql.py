"""A PostgreSQL schema: writers queue on the one row of `tail`, readers see one snapshot."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.event import listen
from sqlalchemy.pool import ConnectionPoolEntry

from heptad.core.errors import WorkspaceError
from heptad.core.faults import boundary
from heptad.core.sql_database import ConnectionPool
from heptad.core.sql_tables import metadata
from heptad.core.sql_transaction import Transaction

STATEMENT_SECONDS = 60
"""How long a statement may take, waiting for other writers included."""
IDLE_SECONDS = 300
"""How long a transaction may stand still."""


class PostgresDatabase:
    """Transactions on the schema that the URL's search path names; see `Database`.

    A commit is durable when the server says so (`synchronous_commit`, on by default).
    """

    def __init__(self, url: sa.URL) -> None:
        self.where = url.render_as_string(hide_password=True)
        try:
            engine = sa.create_engine(
                url.set(drivername="postgresql+psycopg"),
                max_overflow=-1,
                pool_pre_ping=True,
                # Transactions begin where a statement says so, as on SQLite.
                isolation_level="AUTOCOMMIT",
            )
        except ModuleNotFoundError as error:
            raise WorkspaceError(
                f"The store {self.where} needs the package {error.name!r}, which is not installed.",
                remedy="pip install 'heptad[postgresql]'",
            ) from error
        listen(engine, "connect", _configure)
        self._pool = ConnectionPool(engine, self.where)

    @contextmanager
    def reading(self) -> Generator[Transaction]:
        with self._pool.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY") as transaction:
            yield transaction

    @contextmanager
    def writing(self, *, durable: bool = True) -> Generator[Transaction]:  # noqa: ARG002 - the server syncs each commit
        with self._pool.transaction("BEGIN") as transaction:
            yield transaction
            boundary("store.before_commit")
        boundary("store.after_commit")

    def now(self, transaction: Transaction) -> int:
        return int(transaction.value("SELECT extract(epoch FROM clock_timestamp()) * 1000000"))

    def has_table(self, transaction: Transaction, name: str) -> bool:
        # Read as a table: the server's cache of names may be older than this transaction.
        found = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?"
        return bool(transaction.rows(found, name))

    def snapshot(self, transaction: Transaction, label: str) -> str:
        """Every table copied into a schema of its own, inside the migration's transaction."""
        schema = transaction.value("SELECT current_schema()")
        quoted = transaction.dialect.identifier_preparer.quote(f"{schema}_{label}_{time.time_ns()}")
        transaction.run(f"CREATE SCHEMA {quoted}")
        for table in metadata.sorted_tables:
            transaction.run(f"CREATE TABLE {quoted}.{table.name} AS TABLE {table.name}")
        return f"schema {quoted}"

    def close(self) -> None:
        self._pool.close()


def _configure(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # A client that hangs or was killed must hold up neither the server nor the other writers for ever.
    connection.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
    # Our queries take milliseconds: less than it takes to start parallel workers or a compiler.
    connection.execute("SET max_parallel_workers_per_gather = 0")
    connection.execute("SET jit = off")
