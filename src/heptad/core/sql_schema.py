"""The version of the tables: made when new, migrated when old, refused when newer than this program."""

from collections.abc import Callable, Mapping

from heptad.core.errors import IntegrityError, WorkspaceError
from heptad.core.events import CHAIN_START
from heptad.core.sql_database import Database
from heptad.core.sql_transaction import Transaction

Migration = Callable[[Transaction], None]

VERSION = 1
MIGRATIONS: Mapping[int, Migration] = {}
"""Version to the step that leads from it to the next; never changed once released."""


def prepare(database: Database, version: int = VERSION, migrations: Mapping[int, Migration] = MIGRATIONS) -> None:
    """Bring the tables to `version`; raises `WorkspaceError` for a newer one, and then changes nothing."""
    with database.reading() as transaction:
        found = _version(database, transaction)
    if found == version:
        return
    with database.writing() as transaction:
        if transaction.kind == "postgresql":
            transaction.run("SET LOCAL statement_timeout = 0")
            # Of two programs that start at once, the second waits here, and then finds the tables.
            transaction.run("SELECT pg_advisory_xact_lock(hashtext('heptad ' || current_schema()))")
        found = _version(database, transaction)
        if found is None:
            _create(transaction, version)
        elif found > version:
            raise WorkspaceError(
                f"The store {database.where} has schema {found}; this program knows schemas up to {version}.",
                remedy="Use the newer version of heptad that wrote it: pip install --upgrade heptad",
            )
        elif found < version:
            database.snapshot(transaction, f"before-schema-{version}")
            for step in range(found, version):
                migrations[step](transaction)
            transaction.run("UPDATE meta SET value = ? WHERE key = 'schema'", str(version))


def _version(database: Database, transaction: Transaction) -> int | None:
    if not database.has_table(transaction, "meta"):
        return None
    value = transaction.value("SELECT value FROM meta WHERE key = 'schema'")
    if value is None or not value.isdigit():
        raise IntegrityError(
            f"The schema version in {database.where} reads {value!r}.",
            remedy="This is no store of heptad, or a damaged one: restore the newest backup.",
        )
    return int(value)


def _create(transaction: Transaction, version: int) -> None:
    from heptad.core.sql_tables import definitions  # noqa: PLC0415 - only a new store needs SQLAlchemy

    for statement in definitions(transaction.kind):
        transaction.run(statement)
    transaction.run("INSERT INTO meta (key, value) VALUES ('schema', ?)", str(version))
    transaction.run("INSERT INTO tail (id, seq, position, digest) VALUES (1, 0, 0, ?)", CHAIN_START)
