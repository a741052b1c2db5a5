"""Turns columns of text into numbers, booleans and times, counting what does not fit; and back where asked."""

from collections.abc import Callable, Collection, Iterator, Mapping

import msgspec
import polars as pl

from heptad.core.errors import DataError
from heptad.core.settings import Task
from heptad.data.columns import dates
from heptad.data.records import Repair
from heptad.data.settings import ColumnType

MOST = 0.95
"""A column of text is numbers or times where at least this share of its values reads so; the rest is nulled."""
EXAMPLES = 5
_BOOLEANS = {"true": True, "false": False}
STORED: dict[ColumnType, pl.DataType] = {
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "boolean": pl.Boolean(),
    "category": pl.String(),
    "text": pl.String(),
    "datetime": pl.Datetime("us", "UTC"),
}
"""How a column of each type is kept in tables."""


class Dates(msgspec.Struct, frozen=True, kw_only=True):
    """How times are written: the zone of those that name none, a format where the settings give one."""

    timezone: str = "UTC"
    format: str = ""


class TypedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One column after reading it, how it was understood (empty: nothing to tell), and its repairs."""

    values: pl.Series
    understood: str = ""
    repairs: list[Repair] = []


def read_column(texts: pl.Series, decimal_comma: bool, style: Dates) -> TypedColumn:
    """The column as the narrowest of integer, number, boolean, time; left as text where none fits.

    Whole numbers with leading zeros are codes and stay text. What does not fit in a column that otherwise does is
    nulled and counted. `decimal_comma`: whether `1,5` may be a number.
    """
    if not texts.count():
        return TypedColumn(values=texts)
    numbers, understood = _plain_numbers(texts, decimal_comma)
    read = _as_integers(texts) or _as_numbers(texts, numbers, understood) or _as_truth(texts) or _as_times(texts, style)
    if read is not None:
        return read
    share = numbers.cast(pl.Float64, strict=False).count() / texts.count()
    return TypedColumn(
        values=texts, understood=f"text, though {share:.0%} of the values are numbers" if share >= 0.5 else ""
    )


def _as_integers(texts: pl.Series) -> TypedColumn | None:
    whole = texts.cast(pl.Int64, strict=False)
    if whole.count() < texts.count():
        return None
    if (texts.str.starts_with("0") & (texts.str.len_bytes() > 1)).any():
        return TypedColumn(values=texts, understood="codes with leading zeros")
    return TypedColumn(values=whole)


def _as_numbers(texts: pl.Series, plain: pl.Series, understood: str) -> TypedColumn | None:
    numbers = plain.cast(pl.Float64, strict=False)
    if numbers.count() < MOST * texts.count():
        return None
    integers = plain.cast(pl.Int64, strict=False)
    values = integers if integers.count() == numbers.count() else numbers
    repairs = _unread("not_a_number", texts, values.is_null())
    return TypedColumn(values=values, understood=understood, repairs=repairs)


def _as_truth(texts: pl.Series) -> TypedColumn | None:
    values = _as_booleans(texts, _BOOLEANS)
    return None if values is None else TypedColumn(values=values)


def _as_booleans(texts: pl.Series, words: Mapping[str, bool]) -> pl.Series | None:
    if not set(texts.drop_nulls().head(100).str.to_lowercase()) <= set(words):
        return None
    read = texts.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)
    return read if read.count() == texts.count() else None


def read_times(texts: pl.Series, style: Dates) -> TypedColumn:
    """A text column of a typed file (Parquet, JSON) as times where it holds them, else as it is."""
    return _as_times(texts, style) or TypedColumn(values=texts)


def _as_times(texts: pl.Series, style: Dates) -> TypedColumn | None:
    times = dates.read_texts(texts, style.timezone, style.format)
    if times is None or times.unread > (1 - MOST) * texts.count():
        return None
    first, *others = times.formats
    if times.ambiguous:
        return TypedColumn(values=texts, understood=f"text: times as {first}, or day and month the other way round")
    repairs = _unread("not_a_time", texts, times.values.is_null())
    repairs += [
        Repair(rule="second_date_format", column=texts.name, cells=times.formats[other], examples=[other])
        for other in others
    ]
    return TypedColumn(values=times.values, understood=f"times as {first}", repairs=repairs)


def _plain_numbers(texts: pl.Series, decimal_comma: bool) -> tuple[pl.Series, str]:
    """The texts with a point for decimals and nothing between thousands, and what was seen."""
    sample = texts.drop_nulls().head(1000)
    if not sample.str.contains(",", literal=True).any():
        return texts, ""
    share = len(sample) * MOST
    if not decimal_comma and sample.str.contains(r"^[+-]?\d{1,3}(,\d{3})*(\.\d+)?$").sum() >= share:
        return texts.str.replace_all(",", "", literal=True), "commas between thousands"
    if sample.str.contains(r"^[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?$").sum() >= share:
        pointed = texts.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        return pointed, "commas for decimals"
    return texts, ""


def _unread(rule: str, texts: pl.Series, unread: pl.Series) -> list[Repair]:
    lost = texts.filter(unread & texts.is_not_null())
    if lost.is_empty():
        return []
    examples = lost.unique(maintain_order=True).head(EXAMPLES).to_list()
    return [Repair(rule=rule, column=texts.name, cells=len(lost), examples=examples)]


def conform(frame: pl.DataFrame, types: Mapping[str, ColumnType], style: Dates) -> tuple[pl.DataFrame, list[Repair]]:
    """The frame in the stored types, each column in the type that `types` names or the nearest to what it has.

    Raises `DataError` for columns that no type can hold (lists, structs, binary).
    """
    columns, repairs = [], []
    for values in frame:
        column, found = _conform_column(values, types.get(values.name), style)
        columns.append(column)
        repairs += found
    return pl.DataFrame(columns), repairs


def _conform_column(values: pl.Series, wanted: ColumnType | None, style: Dates) -> tuple[pl.Series, list[Repair]]:
    plain = _nearest_stored(values, style)
    if wanted is None or plain.dtype == STORED[wanted]:
        return plain, []
    if wanted == "datetime":
        return as_moments(plain, style)
    if wanted in {"category", "text"}:
        return _as_text(plain), []
    if wanted == "boolean":
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        texts = _as_text(plain)
        read = texts.str.to_lowercase().replace_strict(words, default=None, return_dtype=pl.Boolean)
        return read, _unread("not_a_boolean", texts, read.is_null())
    read = plain.cast(STORED[wanted], strict=False)
    return read, _unread("not_a_number", plain.cast(pl.String), read.is_null())


def as_target(values: pl.Series, task: Task) -> tuple[pl.Series, list[Repair]]:
    """The target as it is kept: classes as text (1 and 1.0 are the same class), numbers as numbers."""
    if task == "classification":
        return _as_text(values), []
    read = values.cast(pl.Float64, strict=False)
    return read, _unread("not_a_number", values.cast(pl.String), read.is_null())


def as_moments(values: pl.Series, style: Dates) -> tuple[pl.Series, list[Repair]]:
    """Any column as times in UTC; `DataError` where it does not hold times or could be read in two ways."""
    if values.dtype.is_temporal():
        return dates.to_utc(values, style.timezone), []
    if values.dtype.is_numeric():
        read = dates.read_numbers(values)
        if read is not None:
            moments, unit = read
            return moments, [Repair(rule="read_as_time", column=values.name, cells=moments.count(), examples=[unit])]
    elif values.dtype == pl.String:
        times = dates.read_texts(values, style.timezone, style.format)
        if times is not None and times.ambiguous:
            raise DataError(
                f"The times in {values.name!r} can be read with day before month and with month before day.",
                remedy='say which in [sources.NAME]: dates = "%d/%m/%Y" or dates = "%m/%d/%Y"',
            )
        if times is not None and not times.unread:
            return times.values, []
    shown = ", ".join(repr(value) for value in unreadable_times(values, style))
    raise DataError(
        f"The column {values.name!r} does not hold times: it has {shown}.",
        allowed="ISO 8601, the usual day and time formats, years, Unix seconds; every value must read",
        remedy='mend the values, name a format with [sources.NAME] dates = "%d.%m.%Y", or leave `time` out',
    )


def unreadable_times(values: pl.Series, style: Dates) -> Iterator[object]:
    """A few of the values that do not read as times."""
    present = values.drop_nulls()
    if values.dtype == pl.String:
        times = dates.read_texts(values, style.timezone, style.format)
        if times is not None:
            present = values.filter(times.values.is_null() & values.is_not_null())
    yield from present.unique(maintain_order=True).head(3).to_list() or [None]


def _nearest_stored(values: pl.Series, style: Dates) -> pl.Series:
    kind = values.dtype
    if kind in STORED.values():
        return values
    if isinstance(kind, pl.Date | pl.Datetime):
        return dates.to_utc(values, style.timezone)
    for fits, convert in _CONVERSIONS:
        if fits(kind):
            return convert(values)
    raise DataError(
        f"The column {values.name!r} holds {kind}, which a table for learning cannot.",
        allowed="numbers, text, booleans, dates and times",
        remedy="turn it into columns of those in [data] function",
    )


def _widened(values: pl.Series) -> pl.Series:
    whole = values.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == values.null_count() else values.cast(pl.Float64)


_CONVERSIONS: tuple[tuple[Callable[[pl.DataType], bool], Callable[[pl.Series], pl.Series]], ...] = (
    (lambda kind: kind.is_integer(), _widened),
    (lambda kind: kind.is_float() or kind.is_decimal(), lambda values: values.cast(pl.Float64)),
    (lambda kind: kind == pl.Duration, lambda values: values.dt.total_microseconds().cast(pl.Float64) / 1e6),
    (lambda kind: kind == pl.Time, lambda values: values.cast(pl.Int64).cast(pl.Float64) / 1e9),
    (lambda kind: isinstance(kind, pl.Categorical | pl.Enum | pl.Null), lambda values: values.cast(pl.String)),
)
"""What is kept in the nearest stored type: which dtypes, and how; durations and times of day as seconds."""


def _as_text(values: pl.Series) -> pl.Series:
    """Values as text; whole numbers kept as floats because of nulls are written without a decimal point."""
    if values.dtype == pl.Float64 and (values.is_null() | (values == values.round())).all():
        values = values.cast(pl.Int64, strict=False)
    return values.cast(pl.String)


def stored_type(kind: pl.DataType) -> ColumnType | None:
    """The type that a stored dtype has, where it has only one: text may be a category or a text."""
    names: Collection[ColumnType] = ("number", "integer", "boolean", "datetime")
    return next((name for name in names if STORED[name] == kind), None)
