"""Copies one store into another, row by row, and proves that both hold the same."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from blake3 import blake3

from heptad.core.errors import InputError, IntegrityError, WorkspaceError
from heptad.core.sql_store import SqlStore
from heptad.core.sql_tables import meta, metadata, selected
from heptad.core.sql_transaction import Row, Transaction
from heptad.core.store import Store

BATCH = 5000
Watch = Callable[[str, int], None]
"""Told the name of a part, and how many more of its rows or files are done."""


class Sum(NamedTuple):
    """What a table holds: the number of its rows, and a digest over all of them in the order of their keys."""

    rows: int
    digest: str


def sql_store(store: Store) -> SqlStore:
    """The store as one that can be copied row by row; raises `WorkspaceError` for any other."""
    if isinstance(store, SqlStore):
        return store
    raise WorkspaceError(f"A {type(store).__name__} cannot be copied.", remedy="Copy it with its own tools.")


def copy_store(source: SqlStore, target: SqlStore, watch: Watch) -> dict[str, Sum]:
    """Fill an empty store with all that another holds; answers what each table holds now, on both sides.

    The source is read in one transaction, so the copy is what it held at one moment; the target is written
    in one, so it stays empty where anything goes wrong. Errors: `InputError` for a target that is not empty,
    `IntegrityError` where what arrived differs from what was sent.
    """
    with source.database.reading() as reading, target.database.writing() as writing:
        if writing.rows("SELECT 1 FROM record LIMIT 1") or writing.rows("SELECT 1 FROM event LIMIT 1"):
            raise InputError(
                f"The store {target.database.where} is not empty.", remedy="Choose a new one: nothing is overwritten."
            )
        writing.run("DELETE FROM tail")
        sums: dict[str, Sum] = {}
        for table in _tables():
            sums[table.name] = _copy_table(reading, writing, table, watch)
            arrived = _sum(_batches(writing, table))
            if arrived != sums[table.name]:
                raise IntegrityError(
                    f"The table {table.name} was sent with {sums[table.name].rows} rows and arrived with "
                    f"{arrived.rows}, or one of them was changed on the way.",
                    remedy="Try again; if it happens again, check the disks of both.",
                )
        # A store that was moved away has its tail sealed.
        writing.run("UPDATE tail SET id = 1")
    return sums


def sums_of(store: SqlStore) -> dict[str, Sum]:
    """What each table of a store holds."""
    with store.database.reading() as transaction:
        return {table.name: _sum(_batches(transaction, table)) for table in _tables()}


def _tables() -> list[sa.Table]:
    """All but `meta`: the version of its tables is each store's own."""
    return [table for table in metadata.sorted_tables if table is not meta]


def _copy_table(source: Transaction, target: Transaction, table: sa.Table, watch: Watch) -> Sum:
    columns = [column.name for column in table.c]
    insert = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - names of our own tables

    def carried() -> Iterator[list[Row]]:
        for batch in _batches(source, table):
            target.run_many(insert, batch)
            watch(table.name, len(batch))
            yield batch

    return _sum(carried())


def _batches(transaction: Transaction, table: sa.Table) -> Iterator[list[Row]]:
    """All rows in the order of the key, some at a time: each batch starts behind the last key of the one before."""
    unique = next((one for one in table.constraints if isinstance(one, sa.UniqueConstraint)), None)
    key = list(table.primary_key.columns or (unique.columns if unique else ()))
    statement = sa.select(*table.c).order_by(*key).limit(BATCH)
    places = [list(table.c).index(column) for column in key]
    batch = selected(transaction, statement)
    while batch:
        yield batch
        last = [batch[-1][place] for place in places]
        batch = selected(transaction, statement.where(sa.tuple_(*key) > sa.tuple_(*last)))


def _sum(batches: Iterator[list[Row]]) -> Sum:
    rows, hasher = 0, blake3()
    for batch in batches:
        rows += len(batch)
        hasher.update(msgspec.msgpack.encode(batch))
    return Sum(rows, hasher.hexdigest())
