"""The functions that `[features.NAME.make]` may call: each makes a polars expression, for training and serving."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from math import tau
from typing import Literal, NamedTuple, TypeAlias

import polars as pl
from blake3 import blake3

from heptad.core.settings import duration
from heptad.data.features.settings import MadeSettings

EVENT = "\0event"
"""When a row happened, in every frame of a view."""
KNOWN = "\0known"
"""From when on a row is known: never before it happened."""
FOREVER = timedelta(days=365_000)
"""A window without an end: the times of tables are younger."""

Scope: TypeAlias = Literal["row", "history", "all"]
"""What a value depends on: its row, earlier rows of its entity, or rows of other entities too."""
Build: TypeAlias = Callable[[Sequence[pl.Expr], MadeSettings], pl.Expr]


class Function(NamedTuple):
    """How an expression is made, how many columns it takes (-1: any number), and which settings it reads and needs.

    What depends on rows of other entities has no expression: `encodings.py` makes it.
    """

    build: Build | None
    about: str
    takes: tuple[int, int] = (1, 1)
    options: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    scope: Scope = "row"


class Reach(NamedTuple):
    """How far back in its entity's history a feature looks; `bounded` is false where there is no end to it."""

    window: timedelta = timedelta()
    rows: int = 0
    bounded: bool = True

    def __add__(self, other: object) -> "Reach":
        if not isinstance(other, Reach):
            return NotImplemented
        return Reach(self.window + other.window, self.rows + other.rows, self.bounded and other.bounded)


def reach_of(made: MadeSettings, scope: Scope) -> Reach:
    """How far back one function looks by itself."""
    if scope == "row":
        return Reach()
    if scope == "all" or made.call == "decayed" or ":" in made.call:
        return Reach(bounded=False)
    if made.call in _STEPS:
        return Reach(rows=made.rows or 1)
    if made.rows:
        return Reach(rows=made.rows - 1)
    return Reach(window=duration(made.window)) if made.window else Reach(bounded=False)


def hashed(values: pl.Series, buckets: int) -> pl.Series:
    """A number from 0 to below `buckets` for each text, the same on every machine and in every version."""
    distinct = values.unique().drop_nulls()
    numbers = [int.from_bytes(blake3(text.encode()).digest(8), "big") % buckets for text in distinct]
    return values.replace_strict(distinct, pl.Series(numbers, dtype=pl.Int64), default=None, return_dtype=pl.Int64)


def _number(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.Float64)


def _plain(make: Callable[[pl.Expr], pl.Expr]) -> Build:
    return lambda of, _made: make(of[0])


def _pair(make: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> Build:
    """Two columns, or one and `value`."""
    return lambda of, made: make(_number(of[0]), _number(of[1]) if len(of) > 1 else pl.lit(made.value, pl.Float64))


def _divided(above: pl.Expr, below: pl.Expr) -> pl.Expr:
    return pl.when(below != 0).then(above / below)


def _local(value: pl.Expr, made: MadeSettings) -> pl.Expr:
    return value.dt.convert_time_zone(made.zone) if made.zone else value


def _calendar(make: Callable[[pl.Expr], pl.Expr]) -> Build:
    return lambda of, made: make(_local(of[0], made)).cast(pl.Int64)


def _minute_of_day(moment: pl.Expr) -> pl.Expr:
    return moment.dt.hour().cast(pl.Int64) * 60 + moment.dt.minute().cast(pl.Int64)


PARTS: dict[str, tuple[Callable[[pl.Expr], pl.Expr], float]] = {
    "hour": (lambda moment: moment.dt.hour(), 24),
    "weekday": (lambda moment: moment.dt.weekday() - 1, 7),
    "day_of_year": (lambda moment: moment.dt.ordinal_day() - 1, 365.25),
    "minute_of_day": (_minute_of_day, 1440),
}
"""Parts of a time that come round again, counted from 0, and how many make a round."""


def _circle(*, sine: bool) -> Build:
    def build(of: Sequence[pl.Expr], made: MadeSettings) -> pl.Expr:
        make, round_trip = PARTS[made.part]
        angle = make(_local(of[0], made)).cast(pl.Float64) * (tau / round_trip)
        return angle.sin() if sine else angle.cos()

    return build


UNITS = {"s": 1e6, "m": 60e6, "h": 3600e6, "d": 86400e6}
"""Microseconds."""


def _in_unit(time: pl.Expr, made: MadeSettings) -> pl.Expr:
    return time.dt.total_microseconds().cast(pl.Float64) / UNITS[made.unit]


def _binned(of: Sequence[pl.Expr], made: MadeSettings) -> pl.Expr:
    above = pl.sum_horizontal((of[0] >= edge).cast(pl.Int64) for edge in made.edges)
    return pl.when(of[0].is_not_null()).then(above)


def _hash(of: Sequence[pl.Expr], made: MadeSettings) -> pl.Expr:
    text = _crossed(of, made)
    return text.map_batches(lambda values: hashed(values, made.buckets), return_dtype=pl.Int64, is_elementwise=True)


def _crossed(of: Sequence[pl.Expr], _made: MadeSettings) -> pl.Expr:
    return pl.concat_str([one.cast(pl.String) for one in of], separator="|", ignore_nulls=False)


def _rolling(kind: str, **more: str) -> Build:
    """Over the rows of `(event - window, event]`, the last `rows` rows, or all rows so far; nulls are passed over."""

    def build(of: Sequence[pl.Expr], made: MadeSettings) -> pl.Expr:
        given = {name: getattr(made, setting) for name, setting in more.items()}
        if made.rows:
            of_rows: pl.Expr = getattr(_number(of[0]), f"rolling_{kind}")(window_size=made.rows, min_samples=1, **given)
            return of_rows
        window = duration(made.window) if made.window else FOREVER
        by_time: pl.Expr = getattr(_number(of[0]), f"rolling_{kind}_by")(EVENT, window_size=window, **given)
        return by_time

    return build


def _count(of: Sequence[pl.Expr], made: MadeSettings) -> pl.Expr:
    counted = (of[0] if of else pl.col(EVENT)).is_not_null()
    return _rolling("sum")([counted], made).cast(pl.Int64)


def _lag(of: Sequence[pl.Expr], made: MadeSettings) -> pl.Expr:
    return of[0].shift(made.rows or 1)


_WINDOW = ("window", "rows")
_STEPS = {"lag", "difference", "change", "since"}
"""Functions for which `rows` says how far back one row lies, 1 where it is not given."""

FUNCTIONS: dict[str, Function] = {
    "add": Function(_pair(lambda a, b: a + b), "a column and another, or a `value`", (1, 2), ("value",)),
    "subtract": Function(_pair(lambda a, b: a - b), "a column less another, or less a `value`", (1, 2), ("value",)),
    "multiply": Function(_pair(lambda a, b: a * b), "a column times another, or a `value`", (1, 2), ("value",)),
    "divide": Function(_pair(_divided), "by another column or a `value`; missing for 0", (1, 2), ("value",)),
    "above": Function(_pair(lambda a, b: a > b), "whether greater than another, or a `value`", (1, 2), ("value",)),
    "below": Function(_pair(lambda a, b: a < b), "whether less than another, or a `value`", (1, 2), ("value",)),
    "least": Function(lambda of, _: pl.min_horizontal(of), "the least of several columns", (2, -1)),
    "greatest": Function(lambda of, _: pl.max_horizontal(of), "the greatest of several columns", (2, -1)),
    "absolute": Function(_plain(lambda a: a.abs()), "without its sign"),
    "log": Function(_plain(lambda a: pl.when(a > 0).then(_number(a).log())), "the natural logarithm; else missing"),
    "sqrt": Function(_plain(lambda a: pl.when(a >= 0).then(_number(a).sqrt())), "the square root; else missing"),
    "round": Function(lambda of, made: _number(of[0]).round(made.digits), "to `digits`", (1, 1), ("digits",)),
    "clip": Function(
        lambda of, made: _number(of[0]).clip(made.low, made.high), "into `low` to `high`", (1, 1), ("low", "high")
    ),
    "bin": Function(_binned, "how many of the `edges` it reaches", (1, 1), ("edges",), ("edges",)),
    "missing": Function(_plain(lambda a: a.is_null()), "whether there is no value"),
    "fill": Function(
        lambda of, made: of[0].fill_null(pl.lit(made.value)),
        "`value` where there is none",
        (1, 1),
        ("value",),
        ("value",),
    ),
    "first_of": Function(lambda of, _: pl.coalesce(of), "the first of several columns that has a value", (2, -1)),
    "equals": Function(
        lambda of, made: of[0] == pl.lit(made.value), "whether it is `value`", (1, 1), ("value",), ("value",)
    ),
    "hour": Function(_calendar(lambda a: a.dt.hour()), "0 to 23", (1, 1), ("zone",)),
    "minute_of_day": Function(_calendar(_minute_of_day), "0 to 1439", (1, 1), ("zone",)),
    "weekday": Function(_calendar(lambda a: a.dt.weekday()), "1 (Monday) to 7", (1, 1), ("zone",)),
    "weekend": Function(
        lambda of, made: _local(of[0], made).dt.weekday() > 5, "whether Saturday or Sunday", (1, 1), ("zone",)
    ),
    "day": Function(_calendar(lambda a: a.dt.day()), "of the month", (1, 1), ("zone",)),
    "day_of_year": Function(_calendar(lambda a: a.dt.ordinal_day()), "1 to 366", (1, 1), ("zone",)),
    "week": Function(_calendar(lambda a: a.dt.week()), "of the ISO year", (1, 1), ("zone",)),
    "month": Function(_calendar(lambda a: a.dt.month()), "1 to 12", (1, 1), ("zone",)),
    "quarter": Function(_calendar(lambda a: a.dt.quarter()), "1 to 4", (1, 1), ("zone",)),
    "year": Function(_calendar(lambda a: a.dt.year()), "as a number", (1, 1), ("zone",)),
    "sine": Function(
        _circle(sine=True), "of a `part` of a time that comes round again", (1, 1), ("part", "zone"), ("part",)
    ),
    "cosine": Function(_circle(sine=False), "the other half of `sine`", (1, 1), ("part", "zone"), ("part",)),
    "elapsed": Function(
        lambda of, made: _in_unit(of[1] - of[0], made), "from one time to another, in `unit`", (2, 2), ("unit",)
    ),
    "length": Function(_plain(lambda a: a.str.len_chars().cast(pl.Int64)), "characters of a text"),
    "words": Function(_plain(lambda a: a.str.count_matches(r"\S+").cast(pl.Int64)), "words of a text"),
    "letters": Function(_plain(lambda a: a.str.count_matches(r"\p{L}").cast(pl.Int64)), "letters in a text"),
    "capitals": Function(_plain(lambda a: a.str.count_matches(r"\p{Lu}").cast(pl.Int64)), "capital letters in a text"),
    "figures": Function(_plain(lambda a: a.str.count_matches(r"\p{Nd}").cast(pl.Int64)), "digits in a text"),
    "lower": Function(_plain(lambda a: a.str.to_lowercase()), "a text in small letters"),
    "contains": Function(
        lambda of, made: of[0].str.contains(made.pattern),
        "whether a text matches `pattern`",
        (1, 1),
        ("pattern",),
        ("pattern",),
    ),
    "extract": Function(
        lambda of, made: of[0].str.extract(made.pattern, 1),
        "the first group of `pattern` in a text",
        (1, 1),
        ("pattern",),
        ("pattern",),
    ),
    "cross": Function(_crossed, "several columns as one category", (2, -1)),
    "hash": Function(_hash, "a number below `buckets`, equal for equal values", (1, -1), ("buckets",), ("buckets",)),
    "mean": Function(_rolling("mean"), "over a window", (1, 1), _WINDOW, scope="history"),
    "sum": Function(_rolling("sum"), "over a window", (1, 1), _WINDOW, scope="history"),
    "min": Function(_rolling("min"), "over a window", (1, 1), _WINDOW, scope="history"),
    "max": Function(_rolling("max"), "over a window", (1, 1), _WINDOW, scope="history"),
    "std": Function(_rolling("std"), "over a window; missing for one value", (1, 1), _WINDOW, scope="history"),
    "median": Function(_rolling("median"), "over a window", (1, 1), _WINDOW, scope="history"),
    "quantile": Function(
        _rolling("quantile", quantile="quantile"), "over a window", (1, 1), (*_WINDOW, "quantile"), scope="history"
    ),
    "count": Function(_count, "values in a window, or rows without `of`", (0, 1), _WINDOW, scope="history"),
    "decayed": Function(
        lambda of, made: _number(of[0]).ewm_mean_by(EVENT, half_life=duration(made.window)),
        "mean that halves an earlier value's weight in each `window`",
        (1, 1),
        ("window",),
        ("window",),
        "history",
    ),
    "lag": Function(_lag, "the value `rows` earlier", (1, 1), ("rows",), scope="history"),
    "difference": Function(
        lambda of, made: _number(of[0]) - _number(_lag(of, made)),
        "to the value `rows` earlier",
        (1, 1),
        ("rows",),
        scope="history",
    ),
    "change": Function(
        lambda of, made: _divided(_number(of[0]), _number(_lag(of, made))) - 1,
        "by what share it differs from the value `rows` earlier",
        (1, 1),
        ("rows",),
        scope="history",
    ),
    "since": Function(
        lambda _, made: _in_unit(pl.col(EVENT) - pl.col(EVENT).shift(made.rows or 1), made),
        "time since the row `rows` earlier, in `unit`",
        (0, 0),
        ("rows", "unit"),
        scope="history",
    ),
    "target_mean": Function(
        None,
        "mean `target` of a category, of other folds and known by then",
        (1, 1),
        ("target", "known", "folds", "smoothing"),
        ("target",),
        "all",
    ),
    "frequency": Function(None, "share of the rows known by then that have this category", scope="all"),
}
"""Name to function. A user's own is called as `module:function`."""
