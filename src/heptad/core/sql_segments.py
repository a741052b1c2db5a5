"""Metric series in segments: many points in one row, appended once, read by index."""

from collections.abc import Sequence

from heptad.core.errors import InputError, NotFoundError
from heptad.core.records import Id
from heptad.core.sql_transaction import Row, Transaction
from heptad.core.sql_values import name, pack_points, unpack_points
from heptad.core.sql_writer import find_places, lock_tail
from heptad.core.store import Segment

NO_END = 2**62
"""Behind the last point of any series."""


def append(transaction: Transaction, segments: Sequence[Segment]) -> None:
    """Add the points that are not there yet; raises `InputError` where points before them are missing."""
    lock_tail(transaction)
    places = find_places(transaction, [one.record for one in segments])
    ends: dict[tuple[int, str], int] = {}
    rows: list[Row] = []
    for one in segments:
        if one.record not in places:
            raise NotFoundError("record", one.record)
        series = places[one.record].seq, one.key
        if series not in ends:
            ends[series] = _end(transaction, *series)
        known = ends[series] - one.first
        if known < 0:
            raise InputError(
                f"The series {one.key} of {one.record} ends before {ends[series]}; {one.first} would leave a gap.",
                remedy="Append the points in between first.",
            )
        steps, values, times = one.steps[known:], one.values[known:], one.times[known:]
        if steps:
            ends[series] += len(steps)
            data = pack_points(steps, values, times)
            rows.append((series[0], one.key, one.first + known, len(steps), data))
    transaction.run_many("INSERT INTO segment (record, key, first, points, data) VALUES (?, ?, ?, ?, ?)", rows)


def _end(transaction: Transaction, record: int, key: str) -> int:
    last = "SELECT first + points FROM segment WHERE record = ? AND key = ? ORDER BY first DESC LIMIT 1"
    return transaction.value(last, record, key) or 0


def check(segments: Sequence[Segment]) -> None:
    """Refuse, before the transaction, what cannot be a series."""
    for one in segments:
        name(one.key, "key of the series")
        if not len(one.steps) == len(one.values) == len(one.times):
            raise InputError(
                f"The segment of {one.key} has {len(one.steps)} steps, {len(one.values)} values and "
                f"{len(one.times)} times.",
                allowed="as many of each",
            )
        if one.first < 0:
            raise InputError(f"The segment of {one.key} starts at {one.first}.", allowed="0 or more")


def read(transaction: Transaction, record: Id, key: str, start: int, end: int | None, points: int) -> Segment:
    """Points of a series from `start` to before `end`, at most `points` of them, evenly, with the first and last."""
    places = find_places(transaction, [record])
    if record not in places:
        raise NotFoundError("record", record)
    rows = transaction.rows(
        "SELECT first, data FROM segment "
        "WHERE record = ? AND key = ? AND first + points > ? AND first < ? ORDER BY first",
        places[record].seq,
        key,
        start,
        NO_END if end is None else end,
    )
    steps: list[int] = []
    values: list[float] = []
    times: list[float] = []
    for first, data in rows:
        part = slice(max(start - first, 0), None if end is None else end - first)
        unpacked = unpack_points(data)
        steps += unpacked[0][part]
        values += unpacked[1][part]
        times += unpacked[2][part]
    if points and len(steps) > points:
        kept = _evenly(len(steps), points)
        steps, values = [steps[index] for index in kept], [values[index] for index in kept]
        times = [times[index] for index in kept]
    return Segment(record=record, key=key, first=start, steps=steps, values=values, times=times)


def _evenly(count: int, points: int) -> list[int]:
    """Indexes of `points` of `count` things, at equal distances, the first and the last among them."""
    if points == 1:
        return [count - 1]
    return [index * (count - 1) // (points - 1) for index in range(points)]
