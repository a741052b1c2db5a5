"""A transaction on one database connection: runs statements written once for SQLite and PostgreSQL."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import msgspec

Kind: TypeAlias = Literal["sqlite", "postgresql"]
Row = tuple[Any, ...]


class Cursor(Protocol):
    """What is used of a cursor of `sqlite3` or `psycopg`."""

    def execute(self, sql: str, values: Any = ..., /) -> Any: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Any: ...
    def fetchall(self) -> list[Row]: ...


class Spelling(NamedTuple):
    """How one database spells what the statements here write as `IN ??`, `FOR UPDATE`, `JSON_ROWS((` and `?`."""

    one_of: str
    lock: str
    json_rows: str
    value: str


SPELLINGS: dict[Kind, Spelling] = {
    "sqlite": Spelling("IN (SELECT value FROM json_each(?))", "", "json_group_array(json_array(", "?"),
    "postgresql": Spelling("= ANY(?)", "FOR UPDATE", "json_agg(json_build_array(", "%s"),
}


class Transaction:
    """Runs statements and answers plain tuples.

    The drivers are called directly: a fixed statement through SQLAlchemy's `Connection` costs 50 to 90 µs, ten
    times what SQLite needs for it. SQLAlchemy describes the tables and compiles the searches, and is imported
    where one of them is asked for: that takes longer than everything else that opens a store.
    In a statement `?` stands for a value, `IN ??` for a list of values, and `JSON_ROWS((a, b))` for all rows as one
    JSON array, which is quicker to read than a thousand rows.
    """

    def __init__(self, cursor: Cursor, kind: Kind) -> None:
        self.kind: Kind = kind
        self._cursor = cursor

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """All rows of a query."""
        self.run(sql, *values)
        return self._cursor.fetchall()

    def value(self, sql: str, *values: Any) -> Any:
        """The first column of the only row; `None` where there is no row."""
        found = self.rows(sql, *values)
        return found[0][0] if found else None

    def run(self, sql: str, *values: Any) -> None:
        """A statement that answers nothing, or whose answer is not read."""
        self._cursor.execute(_spelled(sql, self.kind), [self._value(one) for one in values])

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same statement for each row; nothing where there are none."""
        if rows:
            self._cursor.executemany(_spelled(sql, self.kind), rows)

    def fetch(self, sql: str, values: Any) -> list[Row]:
        """All rows of a query that is spelled for the database already."""
        self._cursor.execute(sql, values)
        return self._cursor.fetchall()

    def _value(self, value: Any) -> Any:
        if isinstance(value, list) and self.kind == "sqlite":
            return msgspec.json.encode(value).decode()
        return value  # pyright: ignore[reportUnknownVariableType] - whatever the driver takes


@functools.cache
def _spelled(sql: str, kind: Kind) -> str:
    spelling = SPELLINGS[kind]
    sql = sql.replace("IN ??", spelling.one_of).replace("FOR UPDATE", spelling.lock)
    return sql.replace("JSON_ROWS((", spelling.json_rows).replace("?", spelling.value)
