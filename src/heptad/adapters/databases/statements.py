"""What is asked of a database: a table or one query, from a value of the cursor on; names are quoted by SQLAlchemy."""

import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from heptad.core.errors import DataError, SettingsError, nearest
from heptad.data import SourceSettings

_BEGINNINGS = {"SELECT", "WITH", "VALUES", "TABLE", "FROM"}
_PARTS = r"\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|;|\w+|\S"
_TOKEN = re.compile(r"'(?:[^']|'')*'|" + _PARTS, re.DOTALL)
_TOKEN_MYSQL = re.compile(r"'(?:[^'\\]|''|\\.)*'|#[^\n]*|" + _PARTS, re.DOTALL)

Asked: TypeAlias = sa.Select[Any] | sa.TextClause


class Statement(msgspec.Struct, frozen=True):
    """What to read: a `table`, in a `schema` or the usual one, or a `query`."""

    table: str
    schema: str | None
    query: str
    cursor: str

    @property
    def what(self) -> str:
        """How messages call it."""
        return f"table {self.schema + '.' if self.schema else ''}{self.table}" if self.table else "query"

    def select(self, names: list[str], order: list[str], past: Any = None) -> Asked:
        """The rows, those at and past a value of the cursor where one is given, in order."""
        if not self.cursor and not self.table:
            return _literally(self.query)
        columns: dict[str, sa.ColumnClause[Any]] = {name: sa.column(name) for name in names}
        chosen = sa.select(*columns.values()).select_from(self._rows())
        if past is not None:
            chosen = chosen.where(columns[self.cursor] >= past)
        return chosen.order_by(*(columns[name] for name in order))

    def without_cursor(self) -> Asked:
        """One row whose cursor is null, where there is one."""
        return sa.select(sa.literal(1)).select_from(self._rows()).where(sa.column(self.cursor).is_(None)).limit(1)

    def names(self, connection: Connection) -> list[str]:
        """The columns in order; raises `DataError` for a table that is not there, and for names that repeat."""
        if self.table:
            self._check_table(connection)
        # A server answers at once, whatever there is to read.
        probe = sa.select(sa.text("*")).select_from(self._rows()).limit(0)
        names = list(connection.execute(probe).keys())
        own = self._own_names(connection) if self.query and _may_be_renamed(names) else names
        twice = sorted({name for name in own if own.count(name) > 1})
        if twice:
            raise DataError(
                f"The query has {len(twice)} names of columns twice: {', '.join(twice[:5])}.",
                allowed="each name once",
                remedy='name them apart in the query: SELECT a.id, b.id AS "b_id" ...',
            )
        if self.cursor and self.cursor not in names:
            raise DataError(
                f"There is no column {self.cursor!r} in the {self.what}, which [sources.NAME] cursor names.",
                allowed=nearest(self.cursor, names, most=30),
            )
        return names

    def _own_names(self, connection: Connection) -> list[str]:
        """The names that the query itself gives, which SQLite and DuckDB change in what is asked of its rows."""
        with connection.execute(_literally(self.query), execution_options={"stream_results": True}) as result:
            return list(result.keys())

    def primary_key(self, connection: Connection) -> list[str]:
        """The columns of the table's primary key; none for a query."""
        if not self.table:
            return []
        if connection.dialect.name == "duckdb":
            return list(connection.execute(_key_in_duckdb(self.table, self.schema or "main")).scalars())
        return list(sa.inspect(connection).get_pk_constraint(self.table, schema=self.schema)["constrained_columns"])

    def _rows(self) -> sa.FromClause:
        if self.table:
            return sa.table(self.table, schema=self.schema)
        # It may end in a comment, which ends with its line.
        return _literally(f"{self.query}\n").columns().subquery("heptad_rows")

    def _check_table(self, connection: Connection) -> None:
        inspector = sa.inspect(connection)
        names = [*inspector.get_table_names(self.schema), *inspector.get_view_names(self.schema)]
        if self.table not in names and not inspector.has_table(self.table, schema=self.schema):
            raise DataError(
                f"There is no {self.what}.",
                allowed=nearest(self.table, sorted(names)) or "the database has no tables there",
                remedy='[sources.NAME] table = "name" or table = "schema.name"',
            )


def _may_be_renamed(names: Sequence[str]) -> bool:
    """Whether a name is that of another column and a number behind it: `id:1` in SQLite, `id_1` in DuckDB."""
    known = {name.lower() for name in names}
    return any(re.sub(r"[:_]\d+$", "", name) in known - {name} for name in known)


def _key_in_duckdb(table: str, schema: str) -> sa.Select[Any]:
    """The columns of a primary key; DuckDB's dialect asks for them as PostgreSQL has them, where they are not."""
    place = ("table_schema", "table_name", "constraint_name")
    used = _listed("key_column_usage", *place, "column_name", "ordinal_position")
    made = _listed("table_constraints", *place, "constraint_type")
    same = [used.c[name] == made.c[name] for name in place]
    found = sa.select(used.c.column_name).select_from(used.join(made, sa.and_(*same)))
    wanted = (used.c.table_schema == schema, used.c.table_name == table, made.c.constraint_type == "PRIMARY KEY")
    return found.where(*wanted).order_by(used.c.ordinal_position)


def _listed(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(one) for one in columns), schema="information_schema")


def statement_of(settings: SourceSettings, dialect: str) -> Statement:
    """What the settings ask for; raises `SettingsError` unless it is one table or one query."""
    if bool(settings.table) == bool(settings.query):
        raise SettingsError(
            "[sources.NAME] needs a table or a query" + (", not both." if settings.table else "."),
            allowed='table = "schema.name", or query = "SELECT ..."',
        )
    schema, dot, table = settings.table.rpartition(".")
    query = settings.query and _one_query(settings.query, dialect)
    return Statement(table, schema if dot else None, query, settings.cursor)


def _one_query(text: str, dialect: str) -> str:
    """The query without a last semicolon."""
    token = _TOKEN_MYSQL if dialect in {"mysql", "mariadb"} else _TOKEN
    found = [one for one in token.finditer(text) if not one[0].startswith(("--", "/*")) and one[0] != "("]
    if dialect in {"mysql", "mariadb"}:
        found = [one for one in found if not one[0].startswith("#")]
    while found and found[-1][0] == ";":
        text = text[: found.pop().start()]
    if any(one[0] == ";" for one in found):
        raise SettingsError("[sources.NAME] query holds more than one statement.", allowed="one SELECT")
    first = found[0][0].upper() if found else "nothing"
    if first not in _BEGINNINGS:
        raise SettingsError(
            f"[sources.NAME] query is not a query: it begins with {first}.",
            allowed=f"SQL that reads rows, beginning with {', '.join(sorted(_BEGINNINGS))}",
        )
    return text


def _literally(query: str) -> sa.TextClause:
    """The text as it is: a colon in it names no parameter."""
    return sa.text(query.replace(":", r"\:"))
