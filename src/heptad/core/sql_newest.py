"""The searches that are asked most, for the newest records and for equal attributes, as fixed statements.

They need no SQLAlchemy, whose import takes longer than all else that a short command does. Any other search, and one
that many records meet, is left to `sql_paging`.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from heptad.core.errors import InputError
from heptad.core.query import All, Compare, Condition, Cursor, Query
from heptad.core.sql_cursor import from_cursor, no_page_ends_at, to_cursor
from heptad.core.sql_transaction import Transaction
from heptad.core.sql_values import PREFIX

FEW = 2000
"""So many records are looked at one by one sooner than all that another comparison allows are collected."""
END = 2**62
"""Behind the newest record."""

Found = tuple[list[int], Cursor | None]
"""The numbers of the records on one page, and the cursor of the next."""


class Equal(NamedTuple):
    """An attribute's key, the column where such values are kept, and the value."""

    key: str
    column: str
    value: float | str


def newest_of(transaction: Transaction, query: Query, after: Cursor | None, limit: int) -> Found | None:
    """A page of the search; `None` where it is none of these."""
    if limit < 1:
        raise InputError(f"A page of {limit} records cannot be read.", allowed="1 or more")
    equals = [] if query.order else _equals(query.where)
    if query.order or equals is None:
        return None
    before = _place(query, after) if after is not None else END
    families = families_of(transaction, query)
    if equals:
        few = _few(transaction, families, equals)
        if few is None:
            return None
        seqs = sorted((seq for seq in few if seq < before), reverse=True)
    else:
        seqs = _walk(transaction, query, families, before, limit + 1)
    page = seqs[:limit]
    return page, to_cursor(query, 0, page[-1:]) if len(seqs) > limit else None


def families_of(transaction: Transaction, query: Query) -> list[int]:
    """Numbers of the kinds and scopes that a search looks in."""
    chosen: list[str] = ["kind = ?"] if query.kind else []
    values: list[Any] = [query.kind] if query.kind else []
    if query.scopes is not None:
        chosen.append("scope IN ??")
        values.append(list(query.scopes))
    where = f" WHERE {' AND '.join(chosen)}" if chosen else ""
    return [number for (number,) in transaction.rows(f"SELECT id FROM family{where}", *values)]  # noqa: S608 - fixed words only


def _equals(condition: Condition) -> list[Equal] | None:
    """The equal attributes that are asked for; `None` where anything else is."""
    found: list[Equal] = []
    for part in condition.parts if isinstance(condition, All) else (condition,):
        if not isinstance(part, Compare) or part.operator != "=" or part.key.startswith("@"):
            return None
        if isinstance(part.value, str) and len(part.value) < PREFIX:
            found.append(Equal(part.key, "txt", part.value))
        elif isinstance(part.value, int | float) and not math.isnan(part.value):
            found.append(Equal(part.key, "num", float(part.value)))
        else:
            return None
    return found


def _place(query: Query, after: Cursor) -> int:
    phase, values = from_cursor(query, after)
    if phase != 0 or len(values) != 1 or not isinstance(values[0], int):
        raise no_page_ends_at(after)
    return values[0]


def _walk(transaction: Transaction, query: Query, families: list[int], before: int, limit: int) -> list[int]:
    chosen, values = " AND family IN ??", list[Any]([families])
    if len(families) == 1:
        # Only then is the index read in its order.
        chosen, values = " AND family = ?", list[Any](families)
    elif not query.kind and query.scopes is None:
        chosen, values = "", []
    statement = f"SELECT seq FROM record WHERE seq < ?{chosen} ORDER BY seq DESC LIMIT ?"  # noqa: S608 - fixed words only
    return [seq for (seq,) in transaction.rows(statement, before, *values, limit)]


def _few(transaction: Transaction, families: list[int], equals: Sequence[Equal]) -> set[int] | None:
    """The records that have all the values; `None` where more than a few have each of them."""
    few: set[int] | None = None
    wide: list[Equal] = []
    for one in equals:
        statement = f"SELECT record FROM attribute WHERE family IN ?? AND key = ? AND {one.column} = ? LIMIT ?"  # noqa: S608 - fixed words only
        rows = transaction.rows(statement, families, one.key, one.value, FEW + 1)
        if len(rows) > FEW:
            wide.append(one)
        else:
            seqs = {seq for (seq,) in rows}
            few = seqs if few is None else few & seqs
    for one in wide if few else ():
        statement = f"SELECT record FROM attribute WHERE record IN ?? AND key = ? AND {one.column} = ?"  # noqa: S608 - fixed words only
        few = {seq for (seq,) in transaction.rows(statement, sorted(few or ()), one.key, one.value)}
    return few
