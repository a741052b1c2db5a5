"""The few things the store asks of a database: a transaction that reads, and one that writes."""

from contextlib import AbstractContextManager
from typing import Protocol

from heptad.core.sql_transaction import Transaction


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
