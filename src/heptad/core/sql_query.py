"""Compiles the search tree to SQL: conditions on attributes become ranges of their indexes."""

import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from heptad.core.errors import InputError
from heptad.core.query import All, AnyOf, Compare, Condition, Not, Query
from heptad.core.records import Scalar
from heptad.core.sql_tables import attribute, family, link, record
from heptad.core.sql_transaction import Kind
from heptad.core.sql_values import PREFIX, micros

Where = sa.ColumnElement[bool]

FIELDS: dict[str, sa.Column[Any]] = {"@id": record.c.id, "@at": record.c.at, "@actor": record.c.actor}
"""What a key may name besides an attribute."""
LINKED = "@to."
"""In front of the role of a link that leads from the record."""

_RANGES: dict[str, Callable[[sa.ColumnElement[Any], Any], Where]] = {
    "=": lambda column, value: column == value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}


class Search(NamedTuple):
    """Where comparisons look: among the records of some families, in the words of one database.

    A comparison is either a set of record numbers, read from one range of an index, to be intersected, united or
    left out; or, with `probes`, a look at the attribute of each record that is come by, which is better where
    these are few. The comparison `narrow` is then still a set, the smallest; a plan may start there if it `begins`.
    """

    families: Sequence[int]
    kind: Kind
    probes: bool = False
    narrow: Compare | None = None
    begins: bool = False

    def where(self, condition: Condition, seq: sa.ColumnElement[int]) -> Where:
        """The condition on the record whose number is `seq`; raises `InputError` for what cannot be compared."""
        match condition:
            case All(parts):
                return sa.and_(sa.true(), *(self.where(part, seq) for part in parts))
            case AnyOf(parts):
                return sa.or_(sa.false(), *(self.where(part, seq) for part in parts))
            case Not(part):
                return sa.not_(self.where(part, seq))
            case Compare(key, "!=", value):
                return sa.not_(self.where(Compare(key, "=", value), seq))
            case Compare(key, "exists", False) | Compare(key, "=", None):
                return sa.not_(self.where(Compare(key, "exists", True), seq))
            case Compare():
                return self._compare(condition, seq)

    def numbers(self, compare: Compare) -> sa.Select[tuple[int]]:
        """The numbers of the records for which a comparison holds."""
        if compare.key.startswith("@"):
            found = _compare_field(compare, self.kind)
            return sa.select(record.c.seq).where(record.c.family.in_(self.families), found)
        found = _compare(compare.operator, compare.value, attribute, self.kind)
        here = attribute.c.family.in_(self.families), attribute.c.key == compare.key
        return sa.select(attribute.c.record).where(*here, found)

    def _compare(self, compare: Compare, seq: sa.ColumnElement[int]) -> Where:
        if compare is self.narrow and self.begins:
            return seq.in_(self.numbers(compare))
        if compare is self.narrow or not self.probes:
            # The planner must not start here: the order's index is walked, which is never bad. SQLite is kept from it
            # by `+ 0`; PostgreSQL would make a join of it all the same, but not of what is asked whether it is true.
            found: Where = (seq + 0).in_(self.numbers(compare))
            return found if self.kind == "sqlite" else found.is_(sa.true())
        if compare.key.startswith("@"):
            found = _compare_field(compare, self.kind)
            return sa.exists().where(record.c.seq == seq, found).correlate_except(record)
        beside = attribute.alias()
        found = _compare(compare.operator, compare.value, beside, self.kind)
        return sa.exists().where(beside.c.record == seq, beside.c.key == compare.key, found)


def field(key: str) -> sa.Column[Any]:
    """The column that a condition or an order names."""
    if key not in FIELDS:
        raise InputError(f"A search cannot use {key!r}.", allowed=f"an attribute's key, or {', '.join(FIELDS)}")
    return FIELDS[key]


def _compare_field(compare: Compare, kind: Kind) -> Where:
    key, operator, value = compare.key, compare.operator, compare.value
    if key.startswith(LINKED):
        if operator != "in" or isinstance(value, str):
            raise InputError(f"{key} {operator} {value!r} cannot be searched.", allowed="in, and ids or a query")
        far = record.alias()
        there = sa.select(link.c.source).join(far, far.c.seq == link.c.target)
        chosen = _found_by(value, far, kind) if isinstance(value, Query) else far.c.id.in_(list(value))
        return record.c.seq.in_(there.where(link.c.role == key.removeprefix(LINKED), chosen))
    column = field(key)
    if operator == "exists":
        return column.is_not(None)
    if key == "@at":
        if operator in _RANGES and isinstance(value, datetime):
            return _RANGES[operator](column, micros(value))
        raise InputError(f"@at {operator} {value!r} cannot be searched.", allowed="=, !=, <, <=, >, >= and a datetime")
    if operator == "in" and not isinstance(value, str):
        return column.in_([str(one) for one in value])
    if not isinstance(value, str):
        raise InputError(f"{key} {operator} {value!r} cannot be searched.", allowed="text")
    return _RANGES[operator](column, value) if operator in _RANGES else like(column, operator, value, kind)


def _found_by(query: Query, far: sa.FromClause, kind: Kind) -> Where:
    """Whether the query finds the record `far`: its families are read, and each record is looked at."""
    families = sa.select(family.c.id).where(family.c.kind == query.kind if query.kind else sa.true())
    if query.scopes is not None:
        families = families.where(family.c.scope.in_(list(query.scopes)))
    return sa.and_(far.c.family.in_(families), Search((), kind, probes=True).where(query.where, far.c.seq))


def _compare(operator: str, value: Any, table: sa.FromClause, kind: Kind) -> Where:
    if operator == "exists":
        return sa.true()
    if operator == "in":
        return _one_of(value, table, kind)
    if isinstance(value, str):
        return _compare_text(operator, value, table, kind)
    if operator in _RANGES and isinstance(value, bool | int | float):
        return sa.false() if _is_nan(value) else _RANGES[operator](table.c.num, float(value))
    raise InputError(f"{operator} {value!r} cannot be searched.", allowed="text, or for =, !=, <, <=, >, >= a number")


def _compare_text(operator: str, value: str, table: sa.FromClause, kind: Kind) -> Where:
    whole = sa.func.coalesce(table.c.raw, table.c.txt)
    if operator not in _RANGES:
        start = re.split("[%_]", value[: PREFIX - 1])[0] if operator == "like" else ""
        # Text that begins with `start` is one range of the index.
        beyond = start[:-1] + chr(ord(start[-1]) + 1) if start and start[-1] < "\ud7ff" else ""
        near = sa.and_(table.c.txt >= start, table.c.txt < beyond) if beyond else table.c.txt.is_not(None)
        return sa.and_(near, like(whole, operator, value, kind))
    if len(value) < PREFIX:
        # Decided within the first characters, whatever follows: the index alone is read.
        return _RANGES[operator](table.c.txt, value)
    wider = {"<": "<=", ">": ">="}.get(operator, operator)
    return sa.and_(_RANGES[wider](table.c.txt, value[:PREFIX]), _RANGES[operator](whole, value))


def _one_of(values: Any, table: sa.FromClause, kind: Kind) -> Where:
    if isinstance(values, str) or not isinstance(values, Sequence | set | frozenset):
        raise InputError(f"in {values!r} cannot be searched.", allowed="a sequence of values")
    given: list[Scalar] = list(values)  # pyright: ignore[reportUnknownArgumentType] - checked by type below
    numbers = [float(one) for one in given if isinstance(one, bool | int | float) and not _is_nan(one)]
    texts = [one for one in given if isinstance(one, str)]
    short = [one for one in texts if len(one) < PREFIX]
    return sa.or_(
        table.c.num.in_(numbers),
        table.c.txt.in_(short),
        *(_compare_text("=", one, table, kind) for one in texts if len(one) >= PREFIX),
    )


def _is_nan(value: float) -> bool:
    return isinstance(value, float) and math.isnan(value)


def like(column: sa.ColumnElement[Any], operator: str, pattern: str, kind: Kind) -> Where:
    """`%` and `_` in `pattern` stand for any text and any character; nothing else is special.

    `like` minds case, `ilike` does not, for ASCII letters. SQLite's LIKE never does, its GLOB always.
    """
    if kind == "sqlite" and operator == "like":
        special = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
        return column.op("GLOB", is_comparison=True)("".join(special.get(one, one) for one in pattern))
    if kind == "sqlite":
        return column.op("LIKE", is_comparison=True)(pattern)
    escaped = pattern.replace("\\", "\\\\")
    return column.op("ILIKE" if operator == "ilike" else "LIKE", is_comparison=True)(escaped)
