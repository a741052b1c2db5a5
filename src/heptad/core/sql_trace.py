"""Lineage: which records a record was made from, and what was made from it."""

from collections.abc import Collection, Sequence

from heptad.core.errors import NotFoundError
from heptad.core.records import Id, Link
from heptad.core.sql_transaction import Transaction
from heptad.core.store import Direction


def links_of(transaction: Transaction, ids: Sequence[Id], direction: Direction, roles: Collection[str]) -> list[Link]:
    """The links met from some records on, nearest first, each once; raises `NotFoundError` for an unknown id.

    The database collects the records that can be reached (a recursive union meets each once); the order is
    then that of a breadth-first walk over their links.
    """
    starts = list(dict.fromkeys(ids))
    known = {row[0] for row in transaction.rows("SELECT id FROM record WHERE id IN ??", starts)}
    for one in starts:
        if one not in known:
            raise NotFoundError("record", one)
    forward = direction in {"ancestors", "out"}
    near, far = ("source", "target") if forward else ("target", "source")
    roled, values = (" AND link.role IN ??", [sorted(roles)]) if roles else ("", [])
    is_far = direction in {"ancestors", "descendants"}
    further = f" UNION SELECT link.{far} FROM reached JOIN link ON link.{near} = reached.seq{roled}" if is_far else ""  # noqa: S608 - fixed words only
    statement = (
        f"WITH RECURSIVE reached (seq) AS (SELECT seq FROM record WHERE id IN ??{further}) "  # noqa: S608 - the same
        "SELECT first.id, link.role, last.id "
        f"FROM reached JOIN link ON link.{near} = reached.seq{roled} "
        "JOIN record first ON first.seq = link.source JOIN record last ON last.seq = link.target"
    )
    found = transaction.rows(statement, starts, *(values if is_far else []), *values)
    return _nearest_first([Link(*row) for row in found], starts, forward=forward)


def _nearest_first(links: Sequence[Link], starts: Sequence[Id], *, forward: bool) -> list[Link]:
    by_near: dict[Id, list[Link]] = {}
    for one in links:
        by_near.setdefault(one.source if forward else one.target, []).append(one)
    ordered: list[Link] = []
    queue, seen = list(starts), set(starts)
    for node in queue:
        for one in sorted(by_near.get(node, ()), key=_spelled):
            ordered.append(one)
            end = one.target if forward else one.source
            if end not in seen:
                seen.add(end)
                queue.append(end)
    return ordered


def _spelled(link: Link) -> tuple[str, str, str]:
    return link.role, link.source, link.target
