"""A PostgreSQL schema: writers queue on the one row of `tail`, readers see one snapshot."""

import functools
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import Identifier

from heptad.core.errors import InputError
from heptad.core.faults import boundary
from heptad.core.sql_database import ConnectionPool
from heptad.core.sql_transaction import Transaction

CONNECT_SECONDS = 10
"""How long a server may take to answer, unless the URL says otherwise."""
STATEMENT_SECONDS = 60
"""How long a statement may take, waiting for other writers included."""
IDLE_SECONDS = 300
"""How long a transaction may stand still."""
SECRETS = ("password", "sslpassword", "passfile")


class PostgresDatabase:
    """Transactions on the schema that the URL's search path names; see `Database`.

    A commit is durable when the server says so (`synchronous_commit`, on by default).
    """

    def __init__(self, url: str) -> None:
        try:
            parameters = conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            # It may quote the password.
            raise InputError(
                "The store's URL cannot be read.", allowed="postgresql://user@host/database, special signs as %XX"
            ) from None
        self.where = make_conninfo("", **{key: value for key, value in parameters.items() if key not in SECRETS})
        connect = functools.partial(_connected, {"connect_timeout": CONNECT_SECONDS, **parameters})
        self._pool = ConnectionPool("postgresql", self.where, connect, psycopg.Error)

    @contextmanager
    def reading(self) -> Generator[Transaction]:
        with self._pool.transaction("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY") as transaction:
            yield transaction

    @contextmanager
    def writing(self, *, durable: bool = True) -> Generator[Transaction]:  # noqa: ARG002 - the server syncs each commit
        # Whoever has waited for its turn must see what was committed meanwhile.
        with self._pool.transaction("BEGIN ISOLATION LEVEL READ COMMITTED") as transaction:
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
        tables = transaction.rows("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        schema = transaction.value("SELECT current_schema()")
        quoted = Identifier(f"{schema}_{label}_{time.time_ns()}").as_string()
        transaction.run(f"CREATE SCHEMA {quoted}")
        for (table,) in tables:
            name = Identifier(table).as_string()
            transaction.run(f"CREATE TABLE {quoted}.{name} AS TABLE {name}")
        return f"schema {quoted}"

    def close(self) -> None:
        self._pool.close()


def _connected(parameters: dict[str, Any]) -> "psycopg.Connection[Any]":
    # Transactions begin where a statement says so, as on SQLite.
    connection = psycopg.connect(**parameters, autocommit=True)
    connection.execute(
        # A client that hangs or was killed must hold up neither the server nor the other writers for ever.
        "SELECT set_config('statement_timeout', %s, false),"
        " set_config('idle_in_transaction_session_timeout', %s, false),"
        # Our queries take milliseconds: less than it takes to start parallel workers or a compiler.
        " set_config('max_parallel_workers_per_gather', '0', false), set_config('jit', 'off', false)",
        (f"{STATEMENT_SECONDS}s", f"{IDLE_SECONDS}s"),
    )
    return connection
