"""What a sample of the rows tells before all of them are counted: bins, quantiles, and how much a column repeats."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from heptad.data.columns.dialogues import Asking, Dialogue, Rows, converse, every_nth, sampled
from heptad.data.profiles.sketches import REGISTERS, distinct_at_least, points_of
from heptad.data.records import Column

BINS = 10
"""Bins of a number, at the deciles of the reference."""
SAMPLE = 20_000
"""A sample has at most twice as many rows, every n-th one: the bins need to be fixed, not exact."""
LOOKED_AT = 4_000
"""Values of the sample by which it is told how much a column repeats."""
FEW = 100_000
"""Rows of which every value is looked at for the count of different ones."""
PER_REGISTER = 20
"""So many different values a register sees at the least, or almost surely: 1 in 500 million sees none."""
HARDLY = 4
"""Numbers of which not even so many rows share a value are measurements, of which different ones are not counted."""
EVERY = 2**64 - 1
_HASH = "\0hash"
_EXACT = 2**53
"""Up to it a float holds every whole number."""


class Sampled(msgspec.Struct, frozen=True, kw_only=True):
    """What a sample told, by column."""

    edges: Mapping[str, list[float]]
    """The inner edges of the bins of what is measured."""
    points: Mapping[str, list[float]] = {}
    below: Mapping[str, int] = {}
    """The hashes that are looked at are less than this; a column that is not here is not looked at."""


def sample_columns(rows: Rows, columns: Sequence[Column], edges: Mapping[str, list[float]]) -> Sampled:
    """The bins of every column that is measured, those that are known or at the deciles, and what a sample tells.

    A column that is mostly missing, of which every n-th row would tell too little, is sampled by itself.
    """
    types = rows.lazy().collect_schema()
    measures = {column.name: measure(types.get(column.name), column) for column in columns if is_measured(column)}
    hashed = [one for one in columns if (one.type in {"category", "text"} and one.name in types) or is_long(one, types)]
    wanted = {**measures, **{f"{one.name}{_HASH}": hash_of(one, types) for one in hashed}}
    height, sample = _every_nth(rows, wanted)
    enough = min(height, SAMPLE) / 2
    sparse = [name for name in measures if name not in edges and sample[name].count() < enough]
    found = dict(zip(sparse, converse(rows, [_values(measures[name]) for name in sparse]), strict=True))
    values = {name: found.get(name, sample[name].drop_nulls()).to_numpy() for name in measures}
    ordered = {name: np.sort(one) for name, one in values.items()}
    hashes = {one.name: sample[f"{one.name}{_HASH}"].drop_nulls().to_numpy() for one in hashed if one.name not in found}
    looked_at = values | hashes
    below = {
        column.name: _below(column, looked_at[column.name], height)
        for column in columns
        if column.name in looked_at and column.name in types
    }
    return Sampled(
        edges={name: edges[name] if name in edges else edges_of(one) for name, one in ordered.items()},
        points={name: points_of(one) for name, one in ordered.items()},
        below={name: one for name, one in below.items() if one},
    )


def is_measured(column: Column) -> bool:
    return column.type not in {"category", "boolean"}


def measure(kind: pl.DataType | None, column: Column) -> pl.Expr:
    """What is counted of a column, as a float; null where there is nothing to count, or no such column (no dtype)."""
    if kind is None:
        return pl.lit(None, pl.Float64)
    value = pl.col(column.name)
    if column.type == "text":
        return value.cast(pl.String).str.len_chars().cast(pl.Float64)
    if column.type == "datetime":
        if kind == pl.String:
            value = value.str.to_datetime(time_zone="UTC", strict=False)
        return value.cast(pl.Datetime("us", "UTC")).dt.epoch("us").cast(pl.Float64) / 1e6
    number = value.cast(pl.Float64, strict=False)
    # Nought times what is not finite is NaN; to ask `is_finite` takes twice as long.
    return number if kind.is_integer() else pl.when(number * 0 == 0).then(number)


def hash_of(column: Column, types: Mapping[str, pl.DataType]) -> pl.Expr:
    """A hash of each value, null of a missing one; equal for one number in two types of numbers.

    As far as a float holds every whole number: those above are told from each other in a column of them.
    """
    value = pl.col(column.name)
    if is_long(column, types):
        exact = value.is_between(-_EXACT, _EXACT)
        hashed = pl.when(exact).then(value.cast(pl.Float64).hash()).otherwise(value.hash())
        return pl.when(value.is_not_null()).then(hashed)
    value = value.cast(pl.String) if column.type in {"category", "text"} else measure(types[column.name], column)
    return pl.when(value.is_not_null()).then(value.hash())


def is_long(column: Column, types: Mapping[str, pl.DataType]) -> bool:
    """Whether a column holds whole numbers of which some may be none of a float."""
    return column.type in {"number", "integer"} and types.get(column.name) == pl.Int64


def hashes_below(rows: pl.LazyFrame, column: Column, types: Mapping[str, pl.DataType], below: int) -> pl.LazyFrame:
    """The different hashes of a column that are less than `below`."""
    # Where all are looked at there are few of them, and to hash a value takes longer than to find that it was there.
    rows = rows.select(column.name).unique() if below == EVERY else rows
    hashed = rows.select(hash_of(column, types).alias(column.name)).drop_nulls()
    return (hashed if below == EVERY else hashed.filter(pl.col(column.name) < pl.lit(below, pl.UInt64))).unique()


def edges_of(ordered: npt.NDArray[np.float64]) -> list[float]:
    """Inner edges at the deciles; a value that holds a tenth of the rows or more gets a bin of its own."""
    if not len(ordered):
        return []
    places = (np.arange(1, BINS) / BINS * (len(ordered) - 1)).astype(np.intp)
    edges, times = np.unique(ordered[places], return_counts=True)
    heavy = edges[times > 1]
    return sorted({*edges.tolist(), *np.nextafter(heavy, -np.inf).tolist()})


def _every_nth(rows: Rows, wanted: Mapping[str, pl.Expr]) -> tuple[int, pl.DataFrame]:
    """How many rows there are, and a sample; one pass for all columns."""
    height = int(rows.lazy().select(pl.len()).collect(engine="streaming").item())
    read = sorted({name for one in wanted.values() for name in one.meta.root_names()})
    every = every_nth(rows.select(read), height // SAMPLE) if read else pl.LazyFrame()
    return height, every.select(one.alias(name) for name, one in wanted.items()).collect(engine="streaming")


def _values(measured: pl.Expr) -> Dialogue[pl.Series]:
    """A sample of the values of a column that are there."""
    told = yield Asking({"count": measured.count()})
    count = told.values["count"]
    return (yield from sampled(measured, count, SAMPLE))


def _below(column: Column, sample: npt.NDArray[Any], height: int) -> int:
    """Below what hashes are looked at, so that each register has enough of them; 0: none is."""
    if height <= FEW:
        return EVERY
    least = min(height, distinct_at_least(sample[:: max(1, len(sample) // LOOKED_AT)]))
    if column.type in {"number", "datetime"} and least * HARDLY > height:
        return 0
    return EVERY if least <= PER_REGISTER * REGISTERS else int(EVERY * (PER_REGISTER * REGISTERS / least))
