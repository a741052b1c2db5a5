"""The store on a SQL database: SQLite for one machine, PostgreSQL for many."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from heptad.core import sql_reader, sql_segments, sql_trace, sql_writer
from heptad.core.errors import InputError, WorkspaceError
from heptad.core.query import Cursor, Page, Query
from heptad.core.records import Change, Event, Id, Link, Position, RawRecord, Ref
from heptad.core.sql_database import Database
from heptad.core.sql_newest import newest_of
from heptad.core.sql_schema import prepare
from heptad.core.sql_sqlite import SqliteDatabase
from heptad.core.store import Direction, Segment, Store


def open_store(url: str) -> "SqlStore":
    """The store at `sqlite:////absolute/path` or `postgresql://user@host/database`, made or migrated where needed.

    A path is taken as it is; in the other URL special signs are written as `%XX`. Errors: `WorkspaceError` for a
    place that cannot be used or a schema newer than this program, `UnavailableError` where the server does not
    answer, `InputError` for a URL that is none.
    """
    database = _database(url)
    prepare(database)
    return SqlStore(url, database)


def _database(url: str) -> Database:
    kind, _, place = url.partition("://")
    if kind == "sqlite" and place[1:] not in {"", ":memory:"}:
        return SqliteDatabase(Path(place[1:]))
    if kind in {"postgresql", "postgresql+psycopg"}:
        try:
            from heptad.core.sql_postgresql import PostgresDatabase  # noqa: PLC0415 - its driver is an extra
        except ModuleNotFoundError as error:
            raise WorkspaceError(
                f"A store on PostgreSQL needs the package {error.name!r}, which is not installed.",
                remedy="pip install 'heptad[postgresql]'",
            ) from error
        return PostgresDatabase(f"postgresql://{place}")
    raise InputError(
        f"A store cannot be at {kind}://..." if place else "The store's URL cannot be read.",
        allowed="sqlite:////absolute/path/heptad.db or postgresql://user@host/database",
    )


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
        with self.database.writing(durable=change.durable) as transaction:
            return sql_writer.apply(transaction, change, rows, self.database.now)

    def get(self, refs: Sequence[Ref], attributes: Sequence[str] | None = None, below: str = "") -> list[RawRecord]:
        with self.database.reading() as transaction:
            return sql_reader.records_of(transaction, sql_reader.resolve(transaction, refs), attributes, below)

    def find(self, query: Query, after: Cursor | None = None, limit: int = 100) -> Page[RawRecord]:
        with self.database.reading() as transaction:
            found = newest_of(transaction, query, after, limit)
            if found is None:
                from heptad.core.sql_paging import page_of  # noqa: PLC0415 - it needs SQLAlchemy

                found = page_of(transaction, query, after, limit)
            seqs, following = found
            return Page(sql_reader.records_at(transaction, seqs, query.attributes), following)

    def trace(self, ids: Sequence[Id], direction: Direction, roles: Collection[str] = ()) -> list[Link]:
        with self.database.reading() as transaction:
            return sql_trace.links_of(transaction, ids, direction, roles)

    def append(self, segments: Sequence[Segment]) -> None:
        self.write(Change(segments=segments, durable=False))

    def read(self, record: Id, key: str, start: int = 0, end: int | None = None, points: int = 0) -> Segment:
        with self.database.reading() as transaction:
            return sql_segments.read(transaction, record, key, start, end, points)

    def follow(self, after: Position | str, kinds: Collection[str] = (), limit: int = 1000) -> list[Event]:
        with self.database.reading() as transaction:
            return sql_reader.events_behind(transaction, after, kinds, limit)


_NOTHING = Change()

if TYPE_CHECKING:
    _opens_a_store: Callable[[str], Store] = open_store
