"""Reads times out of text and numbers: which format a column is written in, and what does not fit it."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import product

import msgspec
import polars as pl

from heptad.data.columns.dialogues import Asking, Dialogue, sampled

_NUMERIC = "%Y-%m-%d %Y/%m/%d %d.%m.%Y %m/%d/%Y %d/%m/%Y %m/%d/%y %d/%m/%y %d-%m-%Y %m-%d-%Y"
DAYS = (*_NUMERIC.split(), "%d %b %Y", "%b %d, %Y")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S%.f", "T%H:%M", "T%H:%M:%S", "T%H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p")
ZONES = ("", "Z", " UTC", "%z")
SAMPLE = 500
"""At most twice as many values, every n-th one, choose the format; all values are then read with it."""
EARLIEST = 1000
"""The first year that is believed: years have four digits."""
LIKELY = 0.8
"""A column is worth reading as times where at least this share of the sample fits one format, or two together."""

_SHAPE = r"^(\d{1,4}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4}|[A-Za-z]{3,9} \d{1,2}, \d{4})"
_SWAPPED = {"%d/%m": "%m/%d", "%m/%d": "%d/%m", "%d-%m": "%m-%d", "%m-%d": "%d-%m"}
_YEARS, _DAYS, _SECONDS = "years", "days as YYYYMMDD", "Unix time in seconds"
_UNIX = {_SECONDS: 1, "Unix time in milliseconds": 1_000, "Unix time in microseconds": 1_000_000}
UNITS = {
    _YEARS: (1000, 3000),
    _DAYS: (1000_01_01, 3000_01_01),
    _SECONDS: (10**8, 10**11),
    "Unix time in milliseconds": (10**11, 10**14),
    "Unix time in microseconds": (10**14, 10**17),
}
"""How numbers may say when, each with the numbers that mean so by themselves: from the first, below the second."""


class Times(msgspec.Struct, frozen=True):
    """A column of text read as times. `formats` are those used, most frequent first, with how many values each read.

    `unread` counts values that no format fits. `ambiguous`: day and month could as well be the other way round.
    """

    values: pl.Expr
    formats: dict[str, int]
    unread: int
    ambiguous: bool


def read_texts(texts: pl.Expr, timezone: str, given: str = "") -> Dialogue[Times | None]:
    """The times of a text column in UTC, or `None` where it does not hold times.

    With `given`, that format is the only one. Otherwise up to two formats are used, the second only
    for values that the first cannot read; where they differ in the order of day and month, no value is sure. Values
    without a zone are of `timezone`.
    """
    told = yield Asking({"count": texts.count()})
    count = told.values["count"]
    if not count:
        return None
    first, share = (given, 1.0) if given else (yield from _format_of(texts, count))
    if not first:
        return None
    values = _parse(texts, first, timezone)
    read, ambiguous = yield from _read_with(texts, first, timezone, settled=bool(given))
    formats = {first: read}
    if read < count and not given:
        missed = pl.when(values.is_null()).then(texts)
        second, fits = yield from _format_of(missed, count - read)
        if fits >= LIKELY:
            values = values.fill_null(_parse(texts, second, timezone))
            formats[second], unclear = yield from _read_with(missed, second, timezone, settled=ambiguous)
            ambiguous = ambiguous or unclear or _is_swapped(first, second)
            share = 1.0
    if share < LIKELY:
        return None
    return Times(values, formats, count - sum(formats.values()), ambiguous)


def parsed(texts: pl.Expr, formats: Sequence[str], timezone: str) -> pl.Expr:
    """Times in UTC by the first of the formats that reads each text; null where none does."""
    return pl.coalesce([_parse(texts, one, timezone) for one in formats])


def read_numbers(numbers: pl.Expr) -> Dialogue[tuple[pl.Expr, str] | None]:
    """Times in UTC out of whole numbers, and how they were understood; `None` where they make no sense as times.

    Years (four digits), days as YYYYMMDD, or Unix time in the unit that its size tells.
    """
    values, whole = numbers.cast(pl.Float64), numbers.cast(pl.Int64, strict=False)
    days = _in_unit(whole, _DAYS).count()
    told = yield Asking({"count": numbers.count(), "low": values.min(), "high": values.max(), "days": days})
    count, low, high = told.values["count"], told.values["low"] or 0, told.values["high"] or 0
    if not count:
        return None
    for unit, (least, limit) in UNITS.items():
        # The largest tells the unit of all of them: some may be of 1970.
        lowest = UNITS[_SECONDS][0] if unit in _UNIX else least
        if low >= lowest and high < limit and (unit != _DAYS or told.values["days"] == count):
            return _in_unit(whole, unit), unit
    return None


def moments_in(numbers: pl.Expr, unit: str) -> pl.Expr:
    """Times in UTC of numbers in one of the `UNITS`; null for each that is by itself none of that unit."""
    least, limit = UNITS[unit]
    meant = pl.when(numbers.is_between(least, limit, closed="left")).then(numbers)
    return _in_unit(meant.cast(pl.Int64, strict=False), unit)


def _in_unit(whole: pl.Expr, unit: str) -> pl.Expr:
    if unit == _YEARS:
        return _parse(whole.cast(pl.String) + "-01-01", "%Y-%m-%d", "UTC")
    if unit == _DAYS:
        return whole.cast(pl.String).str.to_datetime("%Y%m%d", strict=False, time_unit="us", time_zone="UTC")
    micros = whole * (1_000_000 // _UNIX[unit])
    return micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def to_utc(values: pl.Expr, kind: pl.DataType, timezone: str) -> pl.Expr:
    """Dates and times of this dtype as `Datetime("us", "UTC")`; what names no zone is of `timezone`.

    Of a time that the clock shows twice the first is meant; one that it skips is told by the clock before the change,
    as PostgreSQL and Python do: 02:30 is 03:30 where an hour is skipped at 2.
    """
    if kind == pl.Date or (isinstance(kind, pl.Datetime) and kind.time_zone is None):
        plain = values.cast(pl.Datetime("us"))
        values = _in_zone(plain, timezone)
        if timezone != "UTC":
            values = values.fill_null(_in_zone(plain - timedelta(days=1), timezone) + timedelta(days=1))
    return values.cast(pl.Datetime("us", "UTC"))


def _in_zone(plain: pl.Expr, timezone: str) -> pl.Expr:
    moments = plain.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return moments.dt.convert_time_zone("UTC")


def _parse(texts: pl.Expr, pattern: str, timezone: str) -> pl.Expr:
    if pattern.endswith("%z"):
        moments = texts.str.to_datetime(pattern, strict=False, time_unit="us", time_zone="UTC")
    else:
        zone = "UTC" if pattern.endswith(("Z", " UTC")) else timezone
        read = texts.str.to_datetime(pattern, strict=False, time_unit="us")
        moments = to_utc(read, pl.Datetime("us"), zone)
    # "%Y" reads 7 as the year 7.
    return pl.when(moments.dt.year() >= EARLIEST).then(moments)


def _format_of(texts: pl.Expr, count: int) -> Dialogue[tuple[str, float]]:
    return _best_format((yield from sampled(texts, count, SAMPLE)))


def _best_format(sample: pl.Series) -> tuple[str, float]:
    """The format that reads most of a sample, and which share of it."""
    if sample.str.contains(_SHAPE).sum() < LIKELY * len(sample):
        return "", 0.0
    best, most = "", 0
    for parts in product(DAYS, CLOCKS, ZONES):
        if parts[2] and not parts[1]:
            continue
        pattern = "".join(parts)
        read = int(sample.to_frame("text").select(_parse(pl.col("text"), pattern, "UTC").count()).item())
        if read > most:
            best, most = pattern, read
        if most == len(sample):
            break
    return best, most / len(sample)


def _order_of(pattern: str) -> str:
    """The order of day and month in a format that begins with them, if it does."""
    return next((order for order in _SWAPPED if pattern.startswith(order)), "")


def _is_swapped(first: str, second: str) -> bool:
    """Whether two formats are the same but for the order of day and month."""
    order = _order_of(first)
    return bool(order) and second == first.replace(order, _SWAPPED[order], 1)


def _read_with(texts: pl.Expr, pattern: str, timezone: str, *, settled: bool) -> Dialogue[tuple[int, bool]]:
    """How many values a format reads, and whether the order of day and month is unclear.

    It is where both could change places without losing a value, and would then say something else.
    """
    asked = {"read": _parse(texts, pattern, timezone).count()}
    order = _order_of(pattern)
    if order and not settled:
        other = _parse(texts, pattern.replace(order, _SWAPPED[order], 1), "UTC")
        asked |= {"other": other.count(), "differ": other.ne_missing(_parse(texts, pattern, "UTC")).any()}
    told = yield Asking(asked)
    read = told.values["read"]
    return read, bool(told.values.get("other", -1) >= read and told.values.get("differ"))
