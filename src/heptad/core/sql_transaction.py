"""A transaction on one database connection: runs statements written once for SQLite and PostgreSQL."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Dialect

Row = tuple[Any, ...]


class Cursor(Protocol):
    """What is used of a cursor of `sqlite3` or `psycopg`."""

    def execute(self, sql: str, values: Any = ..., /) -> Any: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> Any: ...
    def fetchall(self) -> list[Row]: ...


class Spelling(NamedTuple):
    """How one database spells what the statements here write as `IN ??`, `FOR UPDATE` and `?`."""

    one_of: str
    lock: str
    value: str


SPELLINGS = {
    "sqlite": Spelling("IN (SELECT value FROM json_each(?))", "", "?"),
    "postgresql": Spelling("= ANY(?)", "FOR UPDATE", "%s"),
}


class Transaction:
    """Runs statements and answers plain tuples.

    The drivers are called directly: a fixed statement through SQLAlchemy's `Connection` costs 50 to 90 µs, ten
    times what SQLite needs for it. SQLAlchemy makes the tables, the searches and the connections.
    In a statement `?` stands for a value and `IN ??` for a list of values.
    """

    def __init__(self, cursor: Cursor, dialect: Dialect) -> None:
        self.dialect = dialect
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
        self._cursor.execute(_spelled(sql, self.dialect.name), [self._value(one) for one in values])

    def run_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same statement for each row; nothing where there are none."""
        if rows:
            self._cursor.executemany(_spelled(sql, self.dialect.name), rows)

    def search(self, statement: sa.Select[Any]) -> list[Row]:
        """All rows of a query that was built from tables."""
        compiled = statement.compile(dialect=self.dialect, compile_kwargs={"render_postcompile": True})
        values: Any = compiled.params
        if compiled.positiontup is not None:
            values = [values[name] for name in compiled.positiontup]
        self._cursor.execute(str(compiled), values)
        return self._cursor.fetchall()

    def _value(self, value: Any) -> Any:
        if isinstance(value, list) and self.dialect.name == "sqlite":
            return msgspec.json.encode(value).decode()
        return value  # pyright: ignore[reportUnknownVariableType] - whatever the driver takes


@functools.cache
def _spelled(sql: str, dialect: str) -> str:
    spelling = SPELLINGS[dialect]
    sql = sql.replace("IN ??", spelling.one_of).replace("FOR UPDATE", spelling.lock)
    return sql.replace("?", spelling.value)
