"""Reads times out of text and numbers: which format a column is written in, and what does not fit it."""

from itertools import product

import msgspec
import polars as pl

_NUMERIC = "%Y-%m-%d %Y/%m/%d %d.%m.%Y %m/%d/%Y %d/%m/%Y %m/%d/%y %d/%m/%y %d-%m-%Y %m-%d-%Y"
DAYS = (*_NUMERIC.split(), "%d %b %Y", "%b %d, %Y")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S%.f", "T%H:%M", "T%H:%M:%S", "T%H:%M:%S%.f", " %I:%M %p", " %I:%M:%S %p")
ZONES = ("", "Z", " UTC", "%z")
SAMPLE = 500
"""At most twice as many values, every n-th one, choose the format; all values are then read with it."""
EARLIEST = 1000
"""The first year that is believed: years have four digits."""
LIKELY = 0.8
"""A column is worth reading as times where at least this share of the sample fits one format."""

_SHAPE = r"^(\d{1,4}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{2,4}|[A-Za-z]{3,9} \d{1,2}, \d{4})"
_SWAPPED = {"%d/%m": "%m/%d", "%m/%d": "%d/%m", "%d-%m": "%m-%d", "%m-%d": "%d-%m"}
_UNIX = ((1e11, 1, "seconds"), (1e14, 1_000, "milliseconds"), (1e17, 1_000_000, "microseconds"))


class Times(msgspec.Struct, frozen=True):
    """A column of text read as times. `formats` are those used, most frequent first, with how many values each read.

    `unread` counts values that no format fits. `ambiguous`: day and month could as well be the other way round.
    """

    values: pl.Series
    formats: dict[str, int]
    unread: int
    ambiguous: bool


def read_texts(texts: pl.Series, timezone: str, given: str = "") -> Times | None:
    """The times of a text column in UTC, or `None` where it does not hold times.

    With `given`, that format is the only one. Otherwise up to two formats are used, the second only
    for values that the first cannot read. Values without a zone are of `timezone`.
    """
    if not texts.count():
        return None
    sample = _sample(texts)
    first, share = (given, 1.0) if given else _best_format(sample)
    if share < LIKELY:
        return None
    values = _parse(texts, first, timezone)
    formats = {first: values.count()}
    missed = texts.filter(values.is_null() & texts.is_not_null())
    ambiguous = not given and _fits_swapped(texts, first, values.count())
    if len(missed) and not given:
        second, fits = _best_format(_sample(missed))
        if fits >= LIKELY:
            filled = values.fill_null(_parse(texts, second, timezone))
            formats[second] = filled.count() - values.count()
            ambiguous = ambiguous or _fits_swapped(missed, second, formats[second])
            values = filled
    return Times(values, formats, texts.count() - values.count(), ambiguous)


def read_numbers(numbers: pl.Series) -> tuple[pl.Series, str] | None:
    """Times in UTC out of whole numbers, and how they were understood; `None` where they make no sense as times.

    Years (four digits), days as YYYYMMDD, or Unix time in the unit that its size tells.
    """
    present = numbers.drop_nulls().cast(pl.Float64)
    if present.is_empty():
        return None
    low, high = float(present.min() or 0), float(present.max() or 0)  # type: ignore[arg-type] # a float column
    whole = numbers.cast(pl.Int64, strict=False)
    if low >= 1000 and high < 3000:
        return _parse(whole.cast(pl.String) + "-01-01", "%Y-%m-%d", "UTC"), "years"
    if low >= 1000_01_01 and high < 3000_01_01:
        days = whole.cast(pl.String).str.to_datetime("%Y%m%d", strict=False, time_unit="us", time_zone="UTC")
        if days.count() == len(present):
            return days, "days as YYYYMMDD"
    if low < 1e8:
        return None
    for limit, per_second, unit in _UNIX:
        if high < limit:
            micros = whole * (1_000_000 // per_second)
            return micros.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"), f"Unix time in {unit}"
    return None


def to_utc(values: pl.Series, timezone: str) -> pl.Series:
    """Dates and times as `Datetime("us", "UTC")`; what names no zone is of `timezone`."""
    if values.dtype == pl.Date:
        values = values.cast(pl.Datetime("us"))
    if values.dtype == pl.Datetime and values.dtype.time_zone is None:  # type: ignore[attr-defined] # a Datetime
        values = values.cast(pl.Datetime("us")).dt.replace_time_zone(
            timezone, ambiguous="earliest", non_existent="null"
        )
    return values.cast(pl.Datetime("us", "UTC"))


def _sample(texts: pl.Series) -> pl.Series:
    present = texts.drop_nulls()
    return present.gather_every(max(1, len(present) // SAMPLE))


def _parse(texts: pl.Series, pattern: str, timezone: str) -> pl.Series:
    if pattern.endswith("%z"):
        read = texts.str.to_datetime(pattern, strict=False, time_unit="us", time_zone="UTC")
    else:
        read = texts.str.to_datetime(pattern, strict=False, time_unit="us")
        if pattern.endswith(("Z", " UTC")):
            timezone = "UTC"
    moments = to_utc(read, timezone)
    # "%Y" reads 7 as the year 7.
    return moments.set(moments.dt.year() < EARLIEST, None)


def _best_format(sample: pl.Series) -> tuple[str, float]:
    """The format that reads most of a sample, and which share of it."""
    if sample.str.contains(_SHAPE).sum() < LIKELY * len(sample):
        return "", 0.0
    best, most = "", 0
    for parts in product(DAYS, CLOCKS, ZONES):
        if parts[2] and not parts[1]:
            continue
        pattern = "".join(parts)
        read = _parse(sample, pattern, "UTC").count()
        if read > most:
            best, most = pattern, read
        if most == len(sample):
            break
    return best, most / len(sample)


def _fits_swapped(texts: pl.Series, pattern: str, read: int) -> bool:
    """Whether day and month could change places without losing a value, and would then say something else."""
    for order, swapped in _SWAPPED.items():
        if pattern.startswith(order):
            other = _parse(texts, pattern.replace(order, swapped, 1), "UTC")
            same = _parse(texts, pattern, "UTC")
            return bool(other.count() >= read and (other.ne_missing(same)).any())
    return False
