"""The store on a SQL database: SQLite for one machine, PostgreSQL for many."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from heptad.core import sql_reader, sql_segments, sql_trace, sql_writer
from heptad.core.errors import InputError
from heptad.core.query import Cursor, Page, Query
from heptad.core.records import Change, Event, Id, Link, Position, RawRecord, Ref
from heptad.core.sql_database import Database
from heptad.core.sql_paging import page_of
from heptad.core.sql_postgresql import PostgresDatabase
from heptad.core.sql_schema import prepare
from heptad.core.sql_sqlite import SqliteDatabase
from heptad.core.store import Direction, Segment, Store


def open_store(url: str) -> "SqlStore":
    """The store at `sqlite:////absolute/path` or `postgresql://user@host/database`, made or migrated where needed.

    Errors: `WorkspaceError` for a place that cannot be used or a schema newer than this program,
    `UnavailableError` where the server does not answer, `InputError` for a URL that is none.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InputError("The store's URL cannot be read.", allowed=_URLS) from None
    database = _database(parsed)
    prepare(database)
    return SqlStore(url, database)


_URLS = "sqlite:////absolute/path/heptad.db or postgresql://user@host/database"


def _database(url: URL) -> Database:
    kind = url.get_backend_name()
    if kind == "sqlite" and url.database and url.database != ":memory:":
        return SqliteDatabase(Path(url.database))
    if kind == "postgresql":
        return PostgresDatabase(url)
    raise InputError(f"The store {url.render_as_string()} is of no known kind.", allowed=_URLS)


class SqlStore:
    """See `Store`. Safe in threads, across a fork, and when pickled: the copy opens the same URL."""

    def __init__(self, url: str, database: Database) -> None:
        self.url = url
        self.database = database

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return open_store, (self.url,)

    def write(self, change: Change) -> Position:
        rows = sql_writer.encode(change)
        if change == _NOTHING:
            with self.database.reading() as transaction:
                return sql_writer.newest(transaction)
        with self.database.writing() as transaction:
            return sql_writer.apply(transaction, change, rows, self.database.now(transaction))

    def get(self, refs: Sequence[Ref]) -> list[RawRecord]:
        with self.database.reading() as transaction:
            return sql_reader.records_of(transaction, sql_reader.resolve(transaction, refs))

    def find(self, query: Query, after: Cursor | None = None, limit: int = 100) -> Page[RawRecord]:
        with self.database.reading() as transaction:
            seqs, following = page_of(transaction, query, after, limit)
            return Page(sql_reader.records_at(transaction, seqs, query.attributes), following)

    def trace(self, ids: Sequence[Id], direction: Direction, roles: Collection[str] = ()) -> list[Link]:
        with self.database.reading() as transaction:
            return sql_trace.links_of(transaction, ids, direction, roles)

    def append(self, segments: Sequence[Segment]) -> None:
        sql_segments.check(segments)
        with self.database.writing(durable=False) as transaction:
            sql_segments.append(transaction, segments)

    def read(self, record: Id, key: str, start: int = 0, end: int | None = None, points: int = 0) -> Segment:
        with self.database.reading() as transaction:
            return sql_segments.read(transaction, record, key, start, end, points)

    def follow(self, after: Position | str, kinds: Collection[str] = (), limit: int = 1000) -> list[Event]:
        with self.database.reading() as transaction:
            return sql_reader.events_behind(transaction, after, kinds, limit)


_NOTHING = Change()

if TYPE_CHECKING:
    _opens_a_store: Callable[[str], Store] = open_store
