"""Lineage: which records a record was made from, and what was made from it."""

from collections import defaultdict
from collections.abc import Collection, Sequence

import msgspec

from heptad.core.errors import NotFoundError
from heptad.core.records import Id, Link
from heptad.core.sql_transaction import Transaction
from heptad.core.store import Direction

_read = msgspec.json.Decoder(list[tuple[Id, str | None, Id | None]]).decode


def links_of(transaction: Transaction, ids: Sequence[Id], direction: Direction, roles: Collection[str]) -> list[Link]:
    """The links met from some records on, nearest first, each once; raises `NotFoundError` for an unknown id.

    The database collects the records that can be reached (a recursive union meets each once), with their links;
    the order is then that of a breadth-first walk.
    """
    starts = list(dict.fromkeys(ids))
    is_forward = direction in {"ancestors", "out"}
    near, far = ("source", "target") if is_forward else ("target", "source")
    roled, values = (" AND link.role IN ??", [sorted(roles)]) if roles else ("", [])
    links = f"JOIN link ON link.{near} = reached.seq{roled}"
    further = f" UNION SELECT link.{far} FROM reached {links}" if direction in {"ancestors", "descendants"} else ""  # noqa: S608 - fixed words only
    statement = (
        f"WITH RECURSIVE reached (seq) AS (SELECT seq FROM record WHERE id IN ??{further}) "  # noqa: S608 - fixed words only
        "SELECT CAST(JSON_ROWS((near.id, link.role, far.id)) AS TEXT) FROM reached "
        f"JOIN record AS near ON near.seq = reached.seq LEFT {links} LEFT JOIN record AS far ON far.seq = link.{far}"
    )
    found: str | None = transaction.value(statement, starts, *values * (1 + bool(further)))
    ends: defaultdict[Id, list[tuple[str, Id]]] = defaultdict(list)
    for one, role, other in _read(found or "[]"):
        met = ends[one]
        if role is not None and other is not None:
            met.append((role, other))
    for one in starts:
        if one not in ends:
            raise NotFoundError("record", one)
    return _nearest_first(ends, starts, is_forward=is_forward)


def _nearest_first(ends: dict[Id, list[tuple[str, Id]]], starts: Sequence[Id], *, is_forward: bool) -> list[Link]:
    ordered: list[Link] = []
    queue, seen = list(starts), set(starts)
    for near in queue:
        links = ends[near]
        links.sort()
        for role, far in links:
            ordered.append(Link(near, role, far) if is_forward else Link(far, role, near))
            if far not in seen:
                seen.add(far)
                queue.append(far)
    return ordered
