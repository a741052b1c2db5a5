"""How many rows a statement will give, as the planner of the database guesses; nothing is counted."""

import json
import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from heptad.adapters.databases.statements import Asked, Statement


def estimated_rows(connection: Connection, statement: Statement, select: Asked) -> int | None:
    """About how many rows `select` gives; `None` for a database that does not say."""
    return _WAYS.get(connection.dialect.name, _unknown)(connection, statement, select)


def _unknown(connection: Connection, statement: Statement, select: Asked) -> int | None:
    del connection, statement, select
    return None


def _explained(connection: Connection, how: str, select: Asked) -> list[Any]:
    """The rows that a database explains a statement with."""
    made = select.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    asked = connection.exec_driver_sql(f"{how} {made}", _parameters(made))
    return list(asked.all())


def _parameters(made: Any) -> Any:
    """The values of a compiled statement as its driver takes them; nothing where there are none."""
    if made.positional:
        return tuple(made.params[name] for name in made.positiontup) or None
    return made.params or None


def _postgresql(connection: Connection, statement: Statement, select: Asked) -> int | None:
    del statement
    [[plan]] = _explained(connection, "EXPLAIN (FORMAT JSON)", select)
    return int((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]["Plan Rows"])


def _mariadb(connection: Connection, statement: Statement, select: Asked) -> int | None:
    """The largest number of any step: joins mostly find a row by its key for each one of the largest table."""
    del statement
    lines = [line._mapping for line in _explained(connection, "EXPLAIN", select)]  # noqa: SLF001 - its public name
    rows = [int(line["rows"]) for line in lines if line["rows"] is not None]
    return max(rows, default=None)


def _duckdb(connection: Connection, statement: Statement, select: Asked) -> int | None:
    del statement
    text = "".join(str(line[-1]) for line in _explained(connection, "EXPLAIN (FORMAT JSON)", select))
    found = re.search(r'"Estimated Cardinality": *"~?(\d+)"', text)
    return int(found[1]) if found else None


def _sqlite(connection: Connection, statement: Statement, select: Asked) -> int | None:
    """The greatest number of a row: its planner has no guess. `None` for queries, views and tables without numbers.

    And for what is past a cursor, of which that says nothing.
    """
    if not statement.table or (isinstance(select, sa.Select) and select.whereclause is not None):
        return None
    asked: sa.Select[Any] = sa.select(sa.func.max(sa.literal_column("rowid"))).select_from(
        sa.table(statement.table, schema=statement.schema)
    )
    try:
        found: int | None = connection.execute(asked).scalar()
    except DBAPIError:
        return None
    return found


_WAYS: dict[str, Callable[[Connection, Statement, Asked], int | None]] = {
    "postgresql": _postgresql,
    "mysql": _mariadb,
    "mariadb": _mariadb,
    "duckdb": _duckdb,
    "sqlite": _sqlite,
}
