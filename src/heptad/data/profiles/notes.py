"""What a person should look at in a profile: one sentence for each thing that is odd, the gravest first."""

import math
from collections.abc import Iterator
from typing import Literal

import msgspec

from heptad.data.profiles.profile import ColumnProfile, Profile
from heptad.data.profiles.shapes import DAYS, HOURS, LONG, Times

Weight = Literal["look", "know"]
"""`look`: probably wrong or useless; `know`: fine, and good to know."""

MOSTLY, SOME = 0.5, 0.01
"""Shares of missing values that are called so."""
DOMINANT = 0.95
"""Share of the rows with one value from which the others hardly count."""
FAR = 10.0
"""Standard deviations from the mean from which an extreme value stands alone."""
RARE = 0.001
"""Share of the rows below which a value is rare."""
MANY = 12
"""Values of a column from which on their shapes tell more than they do."""
MIDNIGHT = 0.1
"""Share of the times from which midnight is no hour like the others."""
WEEKS = 4 * 7 * 86_400
"""Seconds from which a day of the week that never comes is left out, not yet to come."""
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence about a column."""

    column: str
    weight: Weight
    sentence: str


def notes_of(profile: Profile) -> list[Note]:
    """Everything odd, what is probably wrong before what is good to know, columns in their order."""
    found = [note for column in profile.columns if column.rows for note in _notes(column)]
    return sorted(found, key=lambda note: note.weight == "know")


def number(value: float) -> str:
    """A number as people read it."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:,.4g}"


def _notes(column: ColumnProfile) -> Iterator[Note]:
    for kind in (_of_missing, _of_values, _of_shapes, _of_numbers, _of_times):
        for weight, sentence in kind(column):
            yield Note(column=column.name, weight=weight, sentence=sentence)


def _of_missing(column: ColumnProfile) -> Iterator[tuple[Weight, str]]:
    share = column.missing / column.rows
    if share == 1:
        yield "look", "every value is missing"
    elif share >= MOSTLY:
        yield "look", f"{share:.1%} of the values are missing"
    elif share >= SOME:
        yield "know", f"{share:.1%} of the values are missing"


def _of_values(column: ColumnProfile) -> Iterator[tuple[Weight, str]]:
    present = column.rows - column.missing
    if not present or not column.values:
        return
    named, others = list(zip(column.values, column.counts, strict=False)), column.counts[-1]
    value, count = max(named, key=lambda one: one[1])
    if count == present:
        yield "look", f"the only value is {value!r}"
    elif count >= DOMINANT * present:
        yield "look", f"{count / present:.1%} of the values are {value!r}"
    if others >= MOSTLY * present:
        yield "look", f"its values hardly ever come again, such as {value!r} ({count:,}): text, or an id"
    elif others:
        yield "know", f"more than {len(named)} different values; {others:,} rows have one of the rarer ones"
    rare = [value for value, count in named if 0 < count < RARE * present]
    if rare and not others:
        are = "1 value is" if len(rare) == 1 else f"{len(rare)} values are"
        yield "know", f"{are} in fewer than one of a thousand rows, such as {rare[0]!r}"


def has_shapes(column: ColumnProfile) -> bool:
    """Whether the shapes of a column's values are known, and say more than the values."""
    return bool(column.shapes) and (column.distinct is None or column.distinct > MANY)


def _of_shapes(column: ColumnProfile) -> Iterator[tuple[Weight, str]]:
    if not column.shapes or not has_shapes(column):
        return
    present = column.rows - column.missing
    (shape, count), *others = column.shapes.items()
    share = count / present
    if shape == LONG or share < DOMINANT:
        return
    if count == present:
        yield "know", f"all have the shape {shape!r}"
    elif sum(column.shapes.values()) == present:
        yield "look", f"{share:.1%} have the shape {shape!r}, {_do_not(present - count)}, such as {others[0][0]!r}"
    else:
        yield "look", f"at least {share:.1%} have the shape {shape!r}, at most {_do_not(present - count)}"


def _do_not(count: int) -> str:
    return f"{count:,} does not" if count == 1 else f"{count:,} do not"


def _of_times(column: ColumnProfile) -> Iterator[tuple[Weight, str]]:
    times, present = column.times, column.rows - column.missing
    if times is None or column.min is None or column.max is None or column.min == column.max:
        return
    known, other = times.midnights, times.whole_hours - times.midnights
    if times.whole_hours == present:
        yield "know", _on_hours(times)
    elif known >= MIDNIGHT * present and other < MOSTLY * (present - known):
        yield "look", f"{known / present:.1%} of the times are at midnight (UTC): perhaps the hour is not known"
    never = [name for name, count in zip(_WEEKDAYS, times.weekdays, strict=True) if not count]
    # As many rows that any day is missing by chance from one column in a thousand billion.
    if never and present >= 30 * DAYS and column.max - column.min >= WEEKS:
        yield "know", f"no time is on a {' or '.join(never)} (UTC)"


def _on_hours(times: Times) -> str:
    hours = [hour for hour in range(HOURS) if times.hours[hour]]
    if hours == [0]:
        return "all times are at midnight (UTC)"
    if len(hours) <= 2:
        named = " or ".join(f"{hour:02}:00" for hour in hours)
        return f"all times are at {named} (UTC): perhaps days of another time zone"
    return "all times are on the hour"


def _of_numbers(column: ColumnProfile) -> Iterator[tuple[Weight, str]]:
    low, high, mean, deviation = column.min, column.max, column.mean, column.deviation
    if low is None or high is None or mean is None or deviation is None:
        return
    what = {"text": "texts have", "datetime": "times are"}.get(column.type, "the only value is")
    if low == high:
        yield "look", f"{what} {number(low)}" + (" characters, all of them" if column.type == "text" else "")
        return
    present = column.rows - column.missing
    for below, value, count in zip(column.edges, column.edges[1:], column.counts[1:], strict=False):
        # A value that comes very often has a bin of its own, with nothing between its edges.
        if count >= DOMINANT * present and below == math.nextafter(value, -math.inf):
            are = f"texts have {number(value)} characters" if column.type == "text" else f"values are {number(value)}"
            yield "look", f"{count / present:.1%} of the {are}"
    if column.type in {"number", "integer"}:
        for value in (low, high):
            if abs(value - mean) > FAR * deviation:
                far = abs(value - mean) / deviation
                yield "look", f"{number(value)} is {far:.0f} standard deviations from the mean"
