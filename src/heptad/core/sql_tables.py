"""The tables of the store, the same on SQLite and PostgreSQL."""

import functools
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from heptad.core.sql_transaction import Kind, Row, Transaction

metadata = sa.MetaData()

# Byte order on both databases, so that text compares and sorts the same.
Text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# Only INTEGER is the rowid on SQLite; it holds 64 bits there.
Integer = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

meta = sa.Table("meta", metadata, sa.Column("key", Text, primary_key=True), sa.Column("value", Text, nullable=False))

tail = sa.Table(
    "tail",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("seq", Integer, nullable=False),
    sa.Column("position", Integer, nullable=False),
    sa.Column("digest", Text, nullable=False),
    comment="One row: the newest record and event. On PostgreSQL its lock is what serialises writers.",
)

family = sa.Table(
    "family",
    metadata,
    sa.Column("id", Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("scope", Text, nullable=False),
    sa.UniqueConstraint("kind", "scope"),
    comment="Records of one kind and scope: one number in every index instead of two texts.",
)

record = sa.Table(
    "record",
    metadata,
    sa.Column("seq", Integer, primary_key=True, autoincrement=False),
    sa.Column("id", Text, nullable=False, unique=True),
    sa.Column("family", Integer, nullable=False),
    sa.Column("at", Integer, nullable=False),
    sa.Column("actor", Text, nullable=False),
    sa.Column("body", Text, nullable=False),
)
sa.Index("record_family", record.c.family, record.c.seq)

link = sa.Table(
    "link",
    metadata,
    sa.Column("source", Integer, primary_key=True, autoincrement=False),
    sa.Column("role", Text, primary_key=True),
    sa.Column("target", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
sa.Index("link_reverse", link.c.target, link.c.role, link.c.source)

attribute = sa.Table(
    "attribute",
    metadata,
    sa.Column("record", Integer, primary_key=True, autoincrement=False),
    sa.Column("key", Text, primary_key=True),
    sa.Column("family", Integer, nullable=False),
    sa.Column("num", sa.Double),
    sa.Column("txt", Text),
    sa.Column("raw", Text),
    sqlite_with_rowid=False,
)
PARTIAL_INDEXES = (
    "CREATE INDEX attribute_number ON attribute (family, key, num, record) WHERE num IS NOT NULL",
    "CREATE INDEX attribute_text ON attribute (family, key, txt, record) WHERE txt IS NOT NULL",
)
"""In words that both databases know: as `sa.Index` they would load the dialect of PostgreSQL, which takes 40 ms."""

segment = sa.Table(
    "segment",
    metadata,
    sa.Column("record", Integer, nullable=False),
    sa.Column("key", Text, nullable=False),
    sa.Column("first", Integer, nullable=False),
    sa.Column("points", Integer, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("record", "key", "first"),
)

alias = sa.Table(
    "alias",
    metadata,
    sa.Column("scope", Text, primary_key=True),
    sa.Column("name", Text, primary_key=True),
    sa.Column("target", Text),
    sa.Column("version", Integer, nullable=False),
    sa.Column("expires", Integer),
    sqlite_with_rowid=False,
)
sa.Index("alias_target", alias.c.target)

event = sa.Table(
    "event",
    metadata,
    sa.Column("position", Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Integer, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("subject", Text, nullable=False),
    sa.Column("actor", Text, nullable=False),
    sa.Column("body", Text, nullable=False),
    sa.Column("digest", Text, nullable=False),
)
sa.Index("event_kind", event.c.kind, event.c.position)

cursor = sa.Table(
    "cursor",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("position", Integer, nullable=False),
    sqlite_with_rowid=False,
)

applied = sa.Table(
    "applied",
    metadata,
    sa.Column("key", Text, primary_key=True),
    sa.Column("position", Integer, nullable=False),
    sqlite_with_rowid=False,
)


def definitions(kind: Kind) -> list[str]:
    """The statements that make all tables and indexes."""
    made: list[CreateTable | CreateIndex] = [CreateTable(table) for table in metadata.sorted_tables]
    made += [CreateIndex(index) for table in metadata.sorted_tables for index in table.indexes]
    return [*(str(one.compile(dialect=dialect_of(kind))) for one in made), *PARTIAL_INDEXES]


@functools.cache
def dialect_of(kind: Kind) -> Dialect:
    """How SQLAlchemy speaks to a database through the driver that is used here."""
    dialect: Dialect = registry.load({"sqlite": "sqlite.pysqlite", "postgresql": "postgresql.psycopg"}[kind])()
    return dialect


def selected(transaction: Transaction, statement: sa.Select[Any]) -> list[Row]:
    """All rows of a query that was built from tables."""
    query = statement.compile(dialect=dialect_of(transaction.kind), compile_kwargs={"render_postcompile": True})
    bound = query.params
    values = bound if query.positiontup is None else [bound[name] for name in query.positiontup]
    return transaction.fetch(str(query), values)
