"""Turns columns of text into numbers, booleans and times, counting what does not fit; and back where asked."""

from collections.abc import Callable, Collection, Mapping
from typing import NoReturn, TypeVar

import msgspec
import polars as pl

from heptad.core.errors import DataError
from heptad.core.settings import Task
from heptad.data.columns import dates
from heptad.data.columns.dialogues import Asking, Dialogue, converse
from heptad.data.columns.lookups import look_up
from heptad.data.records import Repair
from heptad.data.settings import ColumnType

MOST = 0.95
"""A column of text is numbers or times where at least this share of its values reads so; the rest is nulled."""
EXAMPLES = 5
LOOKED_AT = 1000
"""Values that do not fit among which examples are looked for."""
_BETWEEN_THOUSANDS = r"^[+-]?(\d{1,3}|[1-9]\d{0,2}(,\d{3})+)(\.\d+)?$"
_FOR_DECIMALS = r"^[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+)(,\d+)?$"
_BOOLEANS = {"true": True, "false": False}
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
STORED: dict[ColumnType, pl.DataType] = {
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "boolean": pl.Boolean(),
    "category": pl.String(),
    "text": pl.String(),
    "datetime": pl.Datetime("us", "UTC"),
}
"""How a column of each type is kept in tables."""
_LARGE: Collection[pl.DataType] = (pl.UInt64(), pl.UInt128(), pl.Int128())
_BEYOND = "whole numbers beyond 64 bits, as text"

Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)


class Dates(msgspec.Struct, frozen=True, kw_only=True):
    """How times are written: the zone of those that name none, a format where the settings give one."""

    timezone: str = "UTC"
    format: str = ""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How one column is read: its values, how it was understood (empty: nothing to tell), and its repairs."""

    values: pl.Expr
    understood: str = ""
    repairs: list[Repair] = []


def read_columns(rows: Rows, readings: Mapping[str, Dialogue[Reading]]) -> tuple[Rows, dict[str, str], list[Repair]]:
    """The rows with some columns read, how they were understood where there is something to tell, and all repairs."""
    found = dict(zip(readings, converse(rows, list(readings.values())), strict=True))
    changed = [one.values.alias(name) for name, one in found.items()]
    return (
        rows.with_columns(changed) if changed else rows,
        {name: one.understood for name, one in found.items() if one.understood},
        [repair for one in found.values() for repair in one.repairs],
    )


def read_text(name: str, decimal_comma: bool, style: Dates) -> Dialogue[Reading]:
    """A column of text as the narrowest of integer, number, boolean, time; left as text where none fits.

    Whole numbers with leading zeros, and beyond 64 bits, are codes and stay text. What does not fit in a column that
    otherwise does is nulled and counted. `decimal_comma`: whether `1,5` may be a number.
    """
    texts = pl.col(name)
    whole = texts.cast(pl.Int64, strict=False)
    coded = texts.str.starts_with("0") & (texts.str.len_bytes() > 1)
    told = yield Asking(
        {"count": texts.count(), "whole": whole.count(), "coded": coded.any()},
        {"head": texts.drop_nulls().head(1000)},
    )
    count = told.values["count"]
    if told.values["whole"] == count:
        codes = bool(told.values["coded"])
        return Reading(values=texts if codes or not count else whole, understood="codes with leading zeros" * codes)
    plain, understood = _plain_numbers(texts, told.samples["head"], decimal_comma)
    numbers, integers = plain.cast(pl.Float64, strict=False), plain.cast(pl.Int64, strict=False)
    truth = look_up(texts.str.to_lowercase(), _BOOLEANS, pl.Boolean())
    digits = plain.str.contains(r"^[+-]?\d+$").sum()
    told = yield Asking(
        {"numbers": numbers.count(), "digits": digits, "integers": integers.count(), "truth": truth.count()}
    )
    fit = told.values["numbers"]
    if fit >= MOST * count:
        if told.values["integers"] < fit == told.values["digits"]:
            return Reading(values=texts, understood=_BEYOND)
        values = integers if told.values["integers"] == fit else numbers
        repairs = (yield from _unread("not_a_number", name, texts, values)) if fit < count else []
        return Reading(values=values, understood=understood, repairs=repairs)
    if told.values["truth"] == count:
        return Reading(values=truth)
    read = yield from _as_times(name, style)
    if read is not None:
        return read
    share = fit / count
    return Reading(values=texts, understood=f"text, though {share:.0%} of the values are numbers" * (share >= 0.5))


def read_large(name: str) -> Dialogue[Reading]:
    """A column of whole numbers of a typed file as text where 64 bits do not hold them, else as those."""
    values, kind = yield from _whole(pl.col(name))
    return Reading(values=values, understood=_BEYOND if kind == pl.String else "")


def is_large(kind: pl.DataType) -> bool:
    """Whether a dtype is of whole numbers that 64 bits with a sign may not hold."""
    return kind in _LARGE or (isinstance(kind, pl.Decimal) and kind.scale == 0)


def read_times(name: str, style: Dates) -> Dialogue[Reading]:
    """A text column of a typed file (Parquet, JSON) as times where it holds them, else as it is."""
    return (yield from _as_times(name, style)) or Reading(values=pl.col(name))


def _as_times(name: str, style: Dates) -> Dialogue[Reading | None]:
    texts = pl.col(name)
    times = yield from dates.read_texts(texts, style.timezone, style.format)
    if times is None:
        return None
    count = times.unread + sum(times.formats.values())
    if times.unread > (1 - MOST) * count:
        return None
    first, *others = times.formats
    if times.ambiguous:
        return Reading(values=texts, understood=f"text: times as {first}, or day and month the other way round")
    repairs = (yield from _unread("not_a_time", name, texts, times.values)) if times.unread else []
    repairs += [
        Repair(rule="second_date_format", column=name, cells=times.formats[other], examples=[other]) for other in others
    ]
    return Reading(values=times.values, understood=f"times as {first}", repairs=repairs)


def _plain_numbers(texts: pl.Expr, sample: pl.Series, decimal_comma: bool) -> tuple[pl.Expr, str]:
    """The texts with a point for decimals and nothing between thousands, and what was seen.

    A cell in another notation than most is null: without its commas or points it would be another number.
    """
    commas = sample.str.contains(",", literal=True).sum()
    if not commas:
        return texts, ""
    share = len(sample) * MOST
    if not decimal_comma and sample.str.contains(_BETWEEN_THOUSANDS).sum() >= share:
        plain = texts.str.replace_all(",", "", literal=True)
        unlike = texts.str.contains(",", literal=True) & ~texts.str.contains(_BETWEEN_THOUSANDS)
        return pl.when(~unlike).then(plain), "commas between thousands"
    if sample.str.contains(_FOR_DECIMALS).sum() >= share:
        # 1.234 is in both notations: that is settled by the cells which are in one of them only.
        if not sample.str.contains(r"\.\d{3}[.,]").any() and sample.str.contains(".", literal=True).sum() > commas:
            return texts, ""
        plain = texts.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        unlike = texts.str.contains(r"[.,]") & ~texts.str.contains(_FOR_DECIMALS)
        return pl.when(~unlike).then(plain), "commas for decimals"
    return texts, ""


def _unread(rule: str, name: str, before: pl.Expr, after: pl.Expr) -> Dialogue[list[Repair]]:
    """The repair of cells that had a value and lost it, where there are any."""
    lost = before.is_not_null() & after.is_null()
    examples = before.filter(lost).head(LOOKED_AT).unique(maintain_order=True).head(EXAMPLES).cast(pl.String)
    told = yield Asking({"lost": lost.sum()}, {"examples": examples})
    cells = told.values["lost"]
    return [Repair(rule=rule, column=name, cells=cells, examples=told.samples["examples"].to_list())] if cells else []


def conform(rows: Rows, types: Mapping[str, ColumnType], style: Dates) -> tuple[Rows, list[Repair]]:
    """The rows in the stored types, each column in the type that `types` names or the nearest to what it has.

    Raises `DataError` for columns that no type can hold (lists, structs, binary).
    """
    schema = rows.lazy().collect_schema()
    unfit = {name: kind for name, kind in schema.items() if kind not in STORED.values() or name in types}
    read, _, repairs = read_columns(
        rows, {name: _conformed(name, kind, types.get(name), style) for name, kind in unfit.items()}
    )
    return read, repairs


def _conformed(name: str, kind: pl.DataType, wanted: ColumnType | None, style: Dates) -> Dialogue[Reading]:
    plain, stored = yield from _nearest_stored(name, kind, style)
    if wanted is None or stored == STORED[wanted]:
        return Reading(values=plain)
    if wanted == "datetime":
        return (yield from as_moments(name, stored, style, plain))
    if wanted in {"category", "text"}:
        return Reading(values=(yield from _as_text(plain, stored)))
    if wanted == "boolean":
        texts = yield from _as_text(plain, stored)
        read = look_up(texts.str.to_lowercase(), _WORDS, pl.Boolean())
        return Reading(values=read, repairs=(yield from _unread("not_a_boolean", name, texts, read)))
    read = plain.cast(STORED[wanted], strict=False)
    return Reading(values=read, repairs=(yield from _unread("not_a_number", name, plain, read)))


def as_target(name: str, kind: pl.DataType, task: Task) -> Dialogue[Reading]:
    """The target as it is kept: classes as text (1 and 1.0 are the same class), numbers as numbers."""
    values = pl.col(name)
    if task == "classification":
        return Reading(values=(yield from _as_text(values, kind)))
    read = values.cast(pl.Float64, strict=False)
    exact = kind.is_numeric()
    return Reading(values=read, repairs=[] if exact else (yield from _unread("not_a_number", name, values, read)))


def as_moments(name: str, kind: pl.DataType, style: Dates, values: pl.Expr | None = None) -> Dialogue[Reading]:
    """Any column as times in UTC; `DataError` where it does not hold times or could be read in two ways.

    `values`: what is made of the column before, with the dtype `kind`.
    """
    values = pl.col(name) if values is None else values
    if kind.is_temporal():
        return Reading(values=dates.to_utc(values, kind, style.timezone))
    unreadable = values
    if kind.is_numeric():
        read = yield from dates.read_numbers(values)
        if read is not None:
            moments, unit = read
            told = yield Asking({"count": moments.count()})
            repair = Repair(rule="read_as_time", column=name, cells=told.values["count"], examples=[unit])
            return Reading(values=moments, repairs=[repair])
    elif kind == pl.String:
        times = yield from dates.read_texts(values, style.timezone, style.format)
        if times is not None and times.ambiguous:
            raise DataError(
                f"The times in {name!r} can be read with day before month and with month before day.",
                remedy='say which in [sources.NAME]: dates = "%d/%m/%Y" or dates = "%m/%d/%Y"',
            )
        if times is not None and not times.unread:
            return Reading(values=times.values)
        unreadable = values if times is None else values.filter(times.values.is_null())
    shown = unreadable.drop_nulls().head(LOOKED_AT).unique(maintain_order=True).head(3)
    told = yield Asking(samples={"shown": shown})
    _refuse_times(name, told.samples["shown"].to_list() or [None])


def _refuse_times(name: str, shown: list[object]) -> NoReturn:
    raise DataError(
        f"The column {name!r} does not hold times: it has {', '.join(map(repr, shown))}.",
        allowed="ISO 8601, the usual day and time formats, years, Unix seconds; every value must read",
        remedy='mend the values, name a format with [sources.NAME] dates = "%d.%m.%Y", or leave `time` out',
    )


def _nearest_stored(name: str, kind: pl.DataType, style: Dates) -> Dialogue[tuple[pl.Expr, pl.DataType]]:
    """The column in the stored type that is nearest to its dtype, and which that is."""
    values = pl.col(name)
    if kind in STORED.values():
        return values, kind
    if isinstance(kind, pl.Date | pl.Datetime):
        return dates.to_utc(values, kind, style.timezone), STORED["datetime"]
    if is_large(kind):
        return (yield from _whole(values))
    for fits, wanted, convert in _CONVERSIONS:
        if fits(kind):
            return convert(values), STORED[wanted]
    raise DataError(
        f"The column {name!r} holds {kind}, which a table for learning cannot.",
        allowed="numbers, text, booleans, dates and times",
        remedy="turn it into columns of those in [data] function",
    )


def _whole(values: pl.Expr) -> Dialogue[tuple[pl.Expr, pl.DataType]]:
    """Whole numbers in the stored type that loses no digit of them: as text where 64 bits do not hold all."""
    whole = values.cast(pl.Int64, strict=False)
    told = yield Asking({"lost": (whole.is_null() & values.is_not_null()).any()})
    return (values.cast(pl.String), STORED["category"]) if told.values["lost"] else (whole, STORED["integer"])


_CONVERSIONS: tuple[tuple[Callable[[pl.DataType], bool], ColumnType, Callable[[pl.Expr], pl.Expr]], ...] = (
    (lambda kind: kind.is_integer(), "integer", lambda values: values.cast(pl.Int64)),
    (lambda kind: kind.is_float() or kind.is_decimal(), "number", lambda values: values.cast(pl.Float64)),
    (
        lambda kind: kind == pl.Duration,
        "number",
        lambda values: values.dt.total_microseconds().cast(pl.Float64) / 1e6,
    ),
    (lambda kind: kind == pl.Time, "number", lambda values: values.cast(pl.Int64).cast(pl.Float64) / 1e9),
    (
        lambda kind: isinstance(kind, pl.Categorical | pl.Enum | pl.Null),
        "category",
        lambda values: values.cast(pl.String),
    ),
)
"""What is kept in the nearest stored type: which dtypes, in which type, and how; durations and times as seconds."""


def _as_text(values: pl.Expr, kind: pl.DataType) -> Dialogue[pl.Expr]:
    """Values as text; whole numbers kept as floats because of nulls are written without a decimal point."""
    if kind == pl.Float64:
        told = yield Asking({"whole": (values.is_null() | (values == values.round())).all()})
        if told.values["whole"]:
            values = values.cast(pl.Int64, strict=False)
    return values.cast(pl.String)


def type_word(kind: pl.DataType) -> str:
    """What a stored dtype is called where categories are not told from other texts."""
    return stored_type(kind) or ("text" if kind == pl.String else f"{kind}")


def stored_type(kind: pl.DataType) -> ColumnType | None:
    """The type that a stored dtype has, where it has only one: text may be a category or a text."""
    names: Collection[ColumnType] = ("number", "integer", "boolean", "datetime")
    return next((name for name in names if STORED[name] == kind), None)
