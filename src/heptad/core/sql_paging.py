"""Keyset paging: any condition and order of a search as SQL."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from heptad.core import sql_newest
from heptad.core.query import All, Compare, Condition, Cursor, Order, Query
from heptad.core.sql_cursor import from_cursor, no_page_ends_at, to_cursor
from heptad.core.sql_newest import Found, families_of
from heptad.core.sql_query import Search, Where, field
from heptad.core.sql_tables import attribute, record, selected
from heptad.core.sql_transaction import Row, Transaction

AHEAD = 10
"""So many times a page is looked at in the order of the search, in the hope that it fills the page."""
MEDIUM = 10_000
"""So many records are looked at one by one, on a walk in the order of the search, sooner than others are collected."""
_SELECTIVE = {"=", "<", "<=", ">", ">=", "in"}


class Term(NamedTuple):
    """One column to sort by; nulls come last in either direction."""

    column: sa.ColumnElement[Any]
    descending: bool
    nullable: bool = False


class Phase(NamedTuple):
    """A part of the result that comes before the next part: where it is read from, and its order.

    An order by an attribute has three: records with a number under the key, with text, with neither. So the
    first two walk an index in its own order, and stop when the page is full.
    """

    source: sa.FromClause
    condition: Where
    seq: sa.ColumnElement[int]
    terms: list[Term]


def page_of(transaction: Transaction, query: Query, after: Cursor | None, limit: int) -> Found:
    """A page of a search."""
    families = families_of(transaction, query)
    phases = list(_phases(query.order, families)) if families else []
    start, behind = _place(query, phases, after) if after is not None else (0, [])
    search = _narrowed(transaction, Search(families, transaction.kind), query.where)
    found: list[int] = []
    place: tuple[int, list[Any]] = (0, [])
    for number, phase in enumerate(phases[start:], start):
        rest = _behind(phase.terms, behind) if number == start and behind else sa.true()
        for seq, *values in _rows(transaction, phase, rest, search, query.where, limit + 1 - len(found)):
            if len(found) == limit:
                return found, to_cursor(query, *place)
            found.append(seq)
            place = number, values
    return found, None


def _rows(
    transaction: Transaction, phase: Phase, rest: Where, search: Search, condition: Condition, limit: int
) -> list[Row]:
    """The first rows of a phase that meet the condition: the number, and the values of the order's terms.

    Where no comparison leaves few records, many may meet them all, and then a page of those is soon found in the
    order asked for. So its beginning is looked at, before all that each comparison allows is collected.
    """
    columns = [term.column for term in phase.terms]
    walk = sa.select(phase.seq, *columns).select_from(phase.source).where(phase.condition, rest)
    walk = walk.order_by(*(_sorted(term) for term in phase.terms))
    if not search.probes and condition != All() and isinstance(phase.source, sa.Table):
        first = walk.limit(AHEAD * limit).subquery()
        probing = search._replace(probes=True).where(condition, first.c[0])
        order = [
            _sorted(term._replace(column=column)) for term, column in zip(phase.terms, list(first.c)[1:], strict=True)
        ]
        rows = selected(transaction, sa.select(first).where(probing).order_by(*order).limit(limit))
        if len(rows) == limit:
            return rows
    return selected(transaction, walk.where(search.where(condition, phase.seq)).limit(limit))


def _narrowed(transaction: Transaction, search: Search, condition: Condition) -> Search:
    """The search, by the comparison that all must meet and the fewest do, where they are few enough."""
    must = condition.parts if isinstance(condition, All) else (condition,)
    fewest = MEDIUM
    for part in must:
        if isinstance(part, Compare) and part.operator in _SELECTIVE and part.value is not None:
            some = search.numbers(part).limit(fewest).subquery()
            count: int = selected(transaction, sa.select(sa.func.count()).select_from(some))[0][0]
            if count < fewest:
                fewest, search = count, search._replace(probes=True, narrow=part, begins=count <= sql_newest.FEW)
    return search


def _sorted(term: Term) -> sa.ColumnElement[Any]:
    column = term.column.desc() if term.descending else term.column.asc()
    return column.nulls_last() if term.nullable else column


def _phases(order: Sequence[Order], families: Sequence[int]) -> Iterator[Phase]:
    if order and not order[0].key.startswith("@"):
        yield from _attribute_phases(order, families)
    else:
        terms = [Term(field(order[0].key), order[0].descending)] if order else []
        yield _phase(record, record.c.family.in_(families), terms, order)


def _attribute_phases(order: Sequence[Order], families: Sequence[int]) -> Iterator[Phase]:
    first = order[0]
    here = sa.and_(attribute.c.family.in_(families), attribute.c.key == first.key)
    by_number = [Term(attribute.c.num, first.descending)]
    yield _phase(attribute, sa.and_(here, attribute.c.num.is_not(None)), by_number, order)
    by_text = [Term(attribute.c.txt, first.descending), Term(attribute.c.raw, first.descending, nullable=True)]
    yield _phase(attribute, sa.and_(here, attribute.c.txt.is_not(None)), by_text, order)
    beside = attribute.alias()
    has_value = sa.exists().where(
        beside.c.record == record.c.seq,
        beside.c.key == first.key,
        sa.or_(beside.c.num.is_not(None), beside.c.txt.is_not(None)),
    )
    yield _phase(record, sa.and_(record.c.family.in_(families), sa.not_(has_value)), [], order)


def _phase(table: sa.Table, condition: Where, terms: list[Term], order: Sequence[Order]) -> Phase:
    """A phase whose equals are sorted by the further keys, and at last by the order of writing."""
    seq: sa.ColumnElement[int] = table.c.record if table is attribute else table.c.seq
    source: sa.FromClause = table
    for one in order[1:]:
        if one.key.startswith("@"):
            other = record.alias()
            source = source.join(other, other.c.seq == seq)
            terms.append(Term(other.c[field(one.key).name], one.descending))
        else:
            beside = attribute.alias()
            source = source.outerjoin(beside, sa.and_(beside.c.record == seq, beside.c.key == one.key))
            terms += [Term(beside.c.num, one.descending, True), Term(beside.c.txt, one.descending, True)]
    return Phase(source, condition, seq, [*terms, Term(seq, order[-1].descending if order else True)])


def _behind(terms: Sequence[Term], values: Sequence[Any]) -> Where:
    """What sorts behind the values: beyond the first, or equal in it and beyond the second, and so on."""
    choices: list[Where] = []
    equal: list[Where] = []
    for term, value in zip(terms, values, strict=True):
        choices.append(sa.and_(*equal, _beyond(term, value)))
        equal.append(term.column.is_(None) if value is None else term.column == value)
    if terms[0].nullable:
        return sa.or_(*choices)
    # Implied by the rest, but an index range can start from it.
    bound = terms[0].column <= values[0] if terms[0].descending else terms[0].column >= values[0]
    return sa.and_(bound, sa.or_(*choices))


def _beyond(term: Term, value: Any) -> Where:
    if value is None:
        return sa.false()
    beyond = term.column < value if term.descending else term.column > value
    return sa.or_(beyond, term.column.is_(None)) if term.nullable else beyond


def _place(query: Query, phases: Sequence[Phase], after: Cursor) -> tuple[int, list[Any]]:
    number, values = from_cursor(query, after)
    terms = phases[number].terms if 0 <= number < len(phases) else []
    if not terms or len(terms) != len(values) or not all(map(_fits, terms, values)):
        raise no_page_ends_at(after)
    return number, values


def _fits(term: Term, value: Any) -> bool:
    """Whether the column may hold the value: text, a number, or nothing."""
    if value is None:
        return term.nullable
    return isinstance(value, str) if isinstance(term.column.type, sa.Text) else isinstance(value, int | float)
