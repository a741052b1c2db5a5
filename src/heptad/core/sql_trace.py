"""Lineage: which records a record was made from, and what was made from it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from heptad.core.errors import NotFoundError
from heptad.core.records import Id, Link
from heptad.core.sql_transaction import Transaction
from heptad.core.store import Direction


class Way(NamedTuple):
    """How links are followed: from which end to which, and whether the ends are followed further."""

    near: str
    far: str
    goes_on: bool


WAYS: dict[Direction, Way] = {
    "ancestors": Way("source", "target", goes_on=True),
    "descendants": Way("target", "source", goes_on=True),
    "out": Way("source", "target", goes_on=False),
    "in": Way("target", "source", goes_on=False),
}


def links_of(transaction: Transaction, ids: Sequence[Id], direction: Direction, roles: Collection[str]) -> list[Link]:
    """The links met from some records on, nearest first, each once; raises `NotFoundError` for an unknown id.

    The database collects the records that can be reached (a recursive union meets each once), with their links;
    the order is then that of a breadth-first walk. A record is in it as the end of the way where its own links
    are not asked for.
    """
    starts = list(dict.fromkeys(ids))
    way = WAYS[direction]
    roled, values = (" AND link.role IN ??", [sorted(roles)]) if roles else ("", [])
    statement = (
        "WITH RECURSIVE reached (seq, is_end) AS (SELECT seq, 0 FROM record WHERE id IN ?? UNION "  # noqa: S608 - fixed words only
        f"SELECT link.{way.far}, {0 if way.goes_on else 1} "
        f"FROM reached JOIN link ON link.{way.near} = reached.seq AND reached.is_end = 0{roled}) "
        f"SELECT reached.seq, record.id, link.role, link.{way.far} "
        "FROM reached JOIN record ON record.seq = reached.seq "
        f"LEFT JOIN link ON link.{way.near} = reached.seq AND reached.is_end = 0{roled}"
    )
    rows = transaction.rows(statement, starts, *values, *values)
    names = {seq: identity for seq, identity, _, _ in rows}
    ends: dict[Id, list[tuple[str, Id]]] = {identity: [] for identity in names.values()}
    for one in starts:
        if one not in ends:
            raise NotFoundError("record", one)
    for _, near, role, far in rows:
        if role is not None:
            ends[near].append((role, names[far]))
    return _nearest_first(ends, starts, forward=way.near == "source")


def _nearest_first(ends: dict[Id, list[tuple[str, Id]]], starts: Sequence[Id], *, forward: bool) -> list[Link]:
    ordered: list[Link] = []
    queue, seen = list(starts), set(starts)
    for near in queue:
        for role, far in sorted(ends[near]):
            ordered.append(Link(near, role, far) if forward else Link(far, role, near))
            if far not in seen:
                seen.add(far)
                queue.append(far)
    return ordered
