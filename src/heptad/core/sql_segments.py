"""Metric series in segments: many points in one row, appended once, read by index."""

from collections.abc import Mapping, Sequence
from typing import Any

from heptad.core.errors import InputError, NotFoundError
from heptad.core.records import AT_END, Id, Segment
from heptad.core.sql_transaction import Row, Transaction
from heptad.core.sql_values import name, pack_points, unpack_points

GATHERED = 128
"""Points up to which new ones go into the segment before them: it is written anew each time, and fits a page."""
NO_END = 2**62
"""Behind the last point of any series."""


def add(transaction: Transaction, segments: Sequence[Segment], seqs: Mapping[Id, int]) -> None:
    """Add the points that are not there yet; raises `InputError` where points before them are missing.

    `seqs` are the numbers of the records. Points that come one by one are gathered, so that many are read quickly.
    """
    ends: dict[tuple[int, str], int] = {}
    rows: list[Row] = []
    for one in segments:
        seq = seqs[one.record]
        first, points = ends.get((seq, one.key), 0), 0
        if not first:
            last = "SELECT first, points FROM segment WHERE record = ? AND key = ? ORDER BY first DESC LIMIT 1"
            first, points = (transaction.rows(last, seq, one.key) or [(0, 0)])[0]
        end = first + points
        known = 0 if one.first == AT_END else end - one.first
        if known < 0:
            raise InputError(
                f"The series {one.key} of {one.record} ends before {end}; {one.first} would leave a gap.",
                remedy="Append the points in between first.",
            )
        columns = one.steps[known:], one.values[known:], one.times[known:]
        added = len(columns[0])
        if added and 0 < points <= GATHERED - added:
            _gather(transaction, (seq, one.key, first), columns)
        elif added:
            rows.append((seq, one.key, end, added, pack_points(*columns)))
        ends[seq, one.key] = end + added
    transaction.run_many("INSERT INTO segment (record, key, first, points, data) VALUES (?, ?, ?, ?, ?)", rows)


def _gather(transaction: Transaction, place: tuple[int, str, int], columns: tuple[Sequence[Any], ...]) -> None:
    """Put points into the segment before them."""
    data = transaction.value("SELECT data FROM segment WHERE record = ? AND key = ? AND first = ?", *place)
    steps, values, times = unpack_points(data)
    packed = pack_points([*steps, *columns[0]], [*values, *columns[1]], [*times, *columns[2]])
    grown = "UPDATE segment SET points = ?, data = ? WHERE record = ? AND key = ? AND first = ?"
    transaction.run(grown, len(steps) + len(columns[0]), packed, *place)


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
        if one.first < 0 and one.first != AT_END:
            raise InputError(f"The segment of {one.key} starts at {one.first}.", allowed="0 or more, or AT_END")


def read(transaction: Transaction, record: Id, key: str, start: int, end: int | None, points: int) -> Segment:
    """Points of a series from `start` to before `end`, at most `points` of them, evenly, with the first and last."""
    seq = transaction.value("SELECT seq FROM record WHERE id = ?", record)
    if seq is None:
        raise NotFoundError("record", record)
    rows = transaction.rows(
        "SELECT first, data FROM segment "
        "WHERE record = ? AND key = ? AND first + points > ? AND first < ? ORDER BY first",
        seq,
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
