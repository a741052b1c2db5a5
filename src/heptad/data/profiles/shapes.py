"""What values look like: texts as patterns of character classes, counted where most have one; times by clock and week.

A shape has `A` for a capital, `a` for any other letter, `9` for a digit, and all else as it stands: of `KL-1234` it is
`AA-9999`. More than four letters alike are one and `…`, and so are more than sixteen digits; a value of more than 40
characters has the shape `…`. Every value that is there is looked at, no sample: of categories each different one once,
of texts each row. Up to 64 different shapes are counted exactly, however the rows were split. Of more than that, what
is counted of a shape is at most 1/65 of the rows too little, by Misra and Gries (1982), and stays so when profiles
are merged: Agarwal and others (2012), "Mergeable summaries".

Moments are counted by addition, in UTC.
"""

import string
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import polars as pl

from heptad.data.columns.schema import COUNT

SHAPES = 64
"""Shapes of a column that are counted by name."""
LONGEST = 40
"""Characters of a value from which on it is no code, and has no shape of its own."""
LONG = "…"
"""The shape of all longer values, and what stands for the rest of a long run."""
_ASCII = bytes.maketrans(
    (string.ascii_lowercase + string.ascii_uppercase + string.digits).encode(), b"a" * 26 + b"A" * 26 + b"9" * 10
)
_UNICODE = {r"\p{N}": "9", r"\p{Lu}": "A", r"[[\p{L}\p{M}]--[A]]": "a"}
_RUNS = {r"A{5,}": f"A{LONG}", r"a{5,}": f"a{LONG}", r"9{17,}": f"9{LONG}"}
_TEXTS = (pl.String, pl.Categorical, pl.Enum)
HOURS, DAYS = 24, 7
_MONDAY = 72
"""Hours from a Monday's midnight to the one with which 1970 began, a Thursday's."""


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """When moments are, in UTC; right between the years -243,000 and 246,000."""

    hours: list[int]
    """How many are in each of the 24 hours of the day."""
    weekdays: list[int]
    """How many are on each day of the week, Monday first."""
    whole_hours: int
    """How many are exactly on an hour."""
    midnights: int
    """How many of those are at midnight."""


def is_shaped(kind: pl.DataType | None) -> bool:
    """Whether a stored type holds texts."""
    return kind is not None and isinstance(kind, _TEXTS)


def shape_counts(values: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """The shapes of the column `name` that come most often, and in how many rows (`COUNT`), one more than are kept.

    `values` are texts, each with the rows that it stands for (`COUNT`). Runs are shortened of the few patterns that are
    left once values are grouped, since that takes ten times as long as telling the classes.
    """
    value = pl.col(name)
    foreign = pl.when(value.str.len_bytes() > value.str.len_chars()).then(value)
    short = pl.when(value.str.len_chars() <= LONGEST).then(value)
    grouped = (
        values.select(short.map_batches(_ascii_classes, return_dtype=pl.String, is_elementwise=True), COUNT)
        .with_columns(pl.coalesce(_replaced(foreign, _UNICODE), value, pl.lit(LONG)))
        .group_by(name)
        .agg(pl.col(COUNT).sum())
    )
    shapes = grouped.with_columns(_replaced(value, _RUNS)).group_by(name).agg(pl.col(COUNT).sum())
    return shapes.sort([COUNT, name], descending=[True, False]).head(SHAPES + 1)


def _replaced(value: pl.Expr, patterns: Mapping[str, str]) -> pl.Expr:
    for pattern, instead in patterns.items():
        value = value.str.replace_all(pattern, instead)
    return value


def _ascii_classes(texts: pl.Series) -> pl.Series:
    """The classes of ASCII characters: of all texts as one, which is translated at once and cut again."""
    sizes = texts.str.len_bytes().cast(pl.Int64)
    translated = str(texts.str.join("").item() or "").encode().translate(_ASCII)
    ends = sizes.fill_null(0).cum_sum()
    cut = pl.lit(translated).bin.slice(ends - sizes.fill_null(0), sizes.fill_null(0))
    return pl.select(pl.when(sizes.is_not_null()).then(cut.cast(pl.String)).alias(texts.name)).to_series()


def kept_shapes(counts: Mapping[str, int]) -> dict[str, int]:
    """Those that are kept, the most frequent first; where there are more, each counts less by the first that is not."""
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    less = ordered[SHAPES][1] if len(ordered) > SHAPES else 0
    return {shape: count - less for shape, count in ordered[:SHAPES] if count > less}


def merged_shapes(first: Mapping[str, int] | None, second: Mapping[str, int] | None) -> dict[str, int] | None:
    """Those of both; not known where those of one are not."""
    return None if first is None or second is None else kept_shapes(Counter(first) + Counter(second))


def merged_times(first: Times | None, second: Times | None) -> Times | None:
    """Those of both; not known where those of one are not."""
    if first is None or second is None:
        return None
    return Times(
        hours=[a + b for a, b in zip(first.hours, second.hours, strict=True)],
        weekdays=[a + b for a, b in zip(first.weekdays, second.weekdays, strict=True)],
        whole_hours=first.whole_hours + second.whole_hours,
        midnights=first.midnights + second.midnights,
    )


def with_clock(rows: pl.LazyFrame, names: Sequence[str]) -> pl.LazyFrame:
    """Rows whose columns `names` hold seconds since 1970, with what `time_counts` looks at.

    Hours are told apart in floats, which compilers vectorise, and their place in the week in bytes: a third of the
    time that the parts of a date take.
    """
    for name in names:
        hours, week = pl.col(f"{name}\0hours"), pl.col(f"{name}\0week")
        rows = (
            rows.with_columns((pl.col(name) / 3600).alias(f"{name}\0hours"))
            .with_columns(
                ((hours.floor().cast(pl.Int32, wrap_numerical=True) + _MONDAY) % (HOURS * DAYS))
                .cast(pl.UInt8, wrap_numerical=True)
                .alias(f"{name}\0week"),
                (hours == hours.floor()).alias(f"{name}\0whole"),
            )
            .with_columns((week % HOURS).alias(f"{name}\0hour"), (week // HOURS).alias(f"{name}\0day"))
        )
    return rows


def time_counts(name: str) -> Iterator[pl.Expr]:
    """Aggregates of a column of rows `with_clock`; `times_of` reads them."""
    hour, day, whole = (pl.col(f"{name}\0{part}") for part in ("hour", "day", "whole"))
    yield from ((hour == place).sum().alias(f"{name}\0hour {place}") for place in range(HOURS))
    yield from ((day == place).sum().alias(f"{name}\0day {place}") for place in range(DAYS))
    yield whole.sum().alias(f"{name}\0whole hours")
    yield (whole & (hour == 0)).sum().alias(f"{name}\0midnights")


def times_of(name: str, found: Mapping[str, float]) -> Times:
    """What the aggregates told."""
    return Times(
        hours=[int(found[f"{name}\0hour {place}"]) for place in range(HOURS)],
        weekdays=[int(found[f"{name}\0day {place}"]) for place in range(DAYS)],
        whole_hours=int(found[f"{name}\0whole hours"]),
        midnights=int(found[f"{name}\0midnights"]),
    )
