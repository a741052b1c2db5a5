"""What a table looks like in numbers: small, mergeable, and compared instead of the rows."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import polars as pl

from heptad.core.errors import DataError
from heptad.data.columns.dialogues import Rows, held
from heptad.data.columns.schema import COUNT, most_frequent, value_counts
from heptad.data.passes import ask, ask_in_turn
from heptad.data.profiles.sampling import EVERY, Sampled, hashes_below, is_measured, measure, sample_columns
from heptad.data.profiles.shapes import (
    Times,
    is_shaped,
    kept_shapes,
    merged_shapes,
    merged_times,
    shape_counts,
    time_counts,
    times_of,
    with_clock,
)
from heptad.data.profiles.sketches import (
    distinct_in,
    is_full,
    merged_points,
    merged_registers,
    quantile_in,
    registers_of,
)
from heptad.data.records import Column
from heptad.data.settings import ColumnType

_BOOLEANS = ["false", "true"]
HELD = 256 << 20
"""Bytes of a table that is read once."""
_HASH, _SHAPE = "\0hash", "\0shape"
VALUES = 100
"""Values of a category that are counted by name; the rest is one count."""


class ColumnProfile(msgspec.Struct, frozen=True, kw_only=True):
    """Counts and moments of one column over `rows` rows.

    Numbers, times (seconds since 1970) and texts (their length in characters) have `edges` e: bin 0 holds
    x <= e[0], bin i holds e[i-1] < x <= e[i], the last one the rest, so there is one count more than edges.
    Categories and booleans have `values`, and a last count for all other values. NaN and infinity count as missing.
    """

    name: str
    type: ColumnType
    rows: int
    missing: int
    mean: float | None = None
    squares: float | None = None
    """Sum of squared differences from the mean."""
    min: float | None = None
    max: float | None = None
    edges: list[float] = []
    values: list[str] = []
    counts: list[int] = []
    registers: str = ""
    """What tells how many different values there are; none of numbers that hardly repeat."""
    counted: int | None = None
    """How many different values there are, where each was looked at; `None` once two were put together."""
    points: list[float] = []
    """What is measured, at even shares of a sample of the rows that have it."""
    shapes: dict[str, int] | None = None
    """The most frequent shapes of texts and categories of texts, and in how many rows at least; `None`: not known."""
    times: Times | None = None
    """When moments are in the day and the week; `None`: not known."""

    @property
    def distinct(self) -> int | None:
        """How many different values there are; where they were not counted, within 3.3%, as a standard error."""
        if self.type == "boolean":
            return sum(count > 0 for count in self.counts[:-1])
        if self.counted is not None:
            return self.counted
        return min(distinct_in(self.registers), self.rows - self.missing) if self.registers else None

    def quantile(self, share: float) -> float | None:
        """The number, moment or length below which a share of the values lies, right within 2% of the rows."""
        return quantile_in(self.points, share) if self.points else None

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the values that are there."""
        present = self.rows - self.missing
        return None if self.squares is None or not present else float(np.sqrt(self.squares / present))

    def labels(self) -> list[str]:
        """What each count is of, in words; one for each of `counts`."""
        if self.type in {"category", "boolean"}:
            return [*self.values, "other values"]
        if not self.edges:
            return ["any"]
        inner = [f"{low:.6g} to {high:.6g}" for low, high in pairwise(self.edges)]
        return [f"up to {self.edges[0]:.6g}", *inner, f"above {self.edges[-1]:.6g}"]


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One profile for each column, in the order of the table."""

    rows: int
    columns: list[ColumnProfile]
    hashed_by: str = ""
    """What hashed the values: registers of two profiles go together where it is the same."""

    def column(self, name: str) -> ColumnProfile | None:
        return next((column for column in self.columns if column.name == name), None)


def profile_frame(rows: Rows, columns: Sequence[Column], reference: Profile | None = None) -> Profile:
    """The profile of `columns` of a table.

    With a reference, its bins and values are used, so that the two can be compared and merged; without
    one, bins lie at the deciles and the most frequent values are counted. A column that the table lacks
    is missing in every row.
    """
    rows = _held(rows, [column.name for column in columns])
    types = rows.lazy().collect_schema()
    known = sample_columns(rows, columns, edges_in(reference))
    asked = ask if isinstance(rows, pl.DataFrame) else ask_in_turn
    profile: Profile = asked(rows.lazy(), Profiling(columns, types, known, reference))[0]
    return profile


def _held(rows: Rows, names: Sequence[str]) -> Rows:
    """The columns in memory, where they take little of it: what is looked at twice is read once."""
    if isinstance(rows, pl.DataFrame):
        return rows
    return held(rows.select(name for name in rows.collect_schema().names() if name in set(names)), HELD)


def edges_in(reference: Profile | None) -> dict[str, list[float]]:
    """The bins of a profile by column."""
    return {column.name: column.edges for column in reference.columns} if reference else {}


def merge(first: Profile, second: Profile) -> Profile:
    """The profile of the rows of both; raises `DataError` where their bins differ.

    Counts and registers are those of all rows, points nearly so. Moments are merged as in Chan, Golub and LeVeque
    (1979), "Updating formulae and a pairwise algorithm for computing sample variances".
    """
    others = {column.name: column for column in second.columns}
    if [column.name for column in first.columns] != list(others):
        raise DataError("Two profiles of different columns cannot be merged.", allowed="the same columns in order")
    return Profile(
        rows=first.rows + second.rows,
        columns=[
            _merge_columns(column, others[column.name], alike=first.hashed_by == second.hashed_by)
            for column in first.columns
        ],
        hashed_by=first.hashed_by,
    )


def _merge_columns(first: ColumnProfile, second: ColumnProfile, *, alike: bool) -> ColumnProfile:
    check_same_bins(first, second)
    n, m = first.rows - first.missing, second.rows - second.missing
    mean, squares = first.mean, first.squares
    if mean is None or squares is None:
        mean, squares = second.mean, second.squares
    elif second.mean is not None and second.squares is not None:
        gap = second.mean - mean
        squares += second.squares + gap * gap * n * m / (n + m)
        mean += gap * m / (n + m)
    return ColumnProfile(
        name=first.name,
        type=first.type,
        rows=first.rows + second.rows,
        missing=first.missing + second.missing,
        mean=mean,
        squares=squares,
        min=min((x for x in (first.min, second.min) if x is not None), default=None),
        max=max((x for x in (first.max, second.max) if x is not None), default=None),
        edges=first.edges,
        values=first.values,
        counts=[a + b for a, b in zip(first.counts, second.counts, strict=True)],
        registers=merged_registers(first.registers, second.registers) if alike else "",
        points=merged_points(first.points, n, second.points, m),
        shapes=merged_shapes(first.shapes, second.shapes),
        times=merged_times(first.times, second.times),
    )


def check_same_bins(first: ColumnProfile, second: ColumnProfile) -> None:
    """Raises `DataError` unless the counts of both mean the same."""
    if first.edges != second.edges or first.values != second.values:
        raise DataError(
            f"The profiles of {first.name!r} count in other bins.",
            allowed="profiles made with the same reference",
            remedy="profile_frame(frame, columns, reference)",
        )


class Profiling:
    """Asks for the profile of rows with these types, by what a sample told, and with the reference's values."""

    def __init__(
        self,
        columns: Sequence[Column],
        types: Mapping[str, pl.DataType],
        sampled: Sampled,
        reference: Profile | None = None,
    ) -> None:
        self._columns = columns
        self._types = types
        self._sampled = sampled
        self._edges = sampled.edges
        self._measured = [column for column in columns if is_measured(column)]
        self._counted = [column for column in columns if not is_measured(column)]
        self._hashed = [column for column in self._measured if column.name in sampled.below]
        self._shaped = [column for column in self._hashed if column.type == "text" and is_shaped(types[column.name])]
        self._timed = [column.name for column in columns if column.type == "datetime"]
        known = {column.name: column.values for column in reference.columns} if reference else {}
        self._values = {column.name: _BOOLEANS for column in self._counted if column.type == "boolean"} | known

    def expressions(self) -> Sequence[pl.Expr]:
        there = [column.name for column in self._counted if column.name in self._types]
        truths = [name for name in there if self._types[name] == pl.Boolean]
        return [
            pl.len().alias("rows"),
            *(pl.col(name).count().name.prefix("count ") for name in there),
            *(pl.col(name).sum().name.prefix("true ") for name in truths),
        ]

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        counted = [self._counts(rows, column) for column in self._counted if self._is_grouped(column)]
        hashed = [hashes_below(rows, column, self._types, self._sampled.below[column.name]) for column in self._hashed]
        shaped = [_each_row(rows, column.name) for column in self._shaped]
        return [*counted, *hashed, *shaped, *([self._measures(rows)] if self._measured else [])]

    def _is_grouped(self, column: Column) -> bool:
        """Whether its values are counted one by one; two truths are counted with less."""
        return column.name in self._types and self._types[column.name] != pl.Boolean

    def _counts(self, rows: pl.LazyFrame, column: Column) -> pl.LazyFrame:
        """How often each value comes that is counted by name; behind them, hashes that are looked at, and shapes."""
        name, texts = column.name, rows.select(pl.col(column.name).cast(pl.String))
        counted = value_counts(texts, name)
        known = self._values.get(name)
        kept = most_frequent(texts, name, VALUES) if known is None else counted.filter(pl.col(name).is_in(known))
        if name not in self._sampled.below:
            return kept.with_columns(pl.lit(None, pl.UInt64).alias(_HASH))
        # The values are grouped once: all parts of the query have that in common.
        hashes = hashes_below(counted, column, {name: pl.String()}, self._sampled.below[name])
        parts = [kept, hashes.rename({name: _HASH})]
        if is_shaped(self._types[name]):
            parts.append(shape_counts(counted, name).rename({name: _SHAPE}))
        return pl.concat(parts, how="diagonal")

    def _measures(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """One row with all that is told of the columns that are measured."""
        measures = {column.name: measure(self._types.get(column.name), column) for column in self._measured}
        wanted: list[pl.Expr] = []
        for name in measures:
            value = pl.col(name)
            moments = {"n": value.count(), "mean": value.mean(), "var": value.var(ddof=0)}
            wanted += [one.alias(f"{name}\0{key}") for key, one in moments.items()]
            wanted += [value.min().alias(f"{name}\0min"), value.max().alias(f"{name}\0max")]
            # Ten comparisons run faster through SIMD than one binary search a row.
            wanted += [(value <= edge).sum().alias(f"{name}\0{place}") for place, edge in enumerate(self._edges[name])]
        wanted += [one for name in self._timed for one in time_counts(name)]
        return with_clock(rows.select(one.alias(name) for name, one in measures.items()), self._timed).select(wanted)

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> Profile:
        rows = values["rows"]
        given = iter(tables)
        profiles: dict[str, ColumnProfile] = {}
        hashes: dict[str, pl.Series] = {}
        shapes: dict[str, dict[str, int]] = {}
        for column in self._counted:
            present = values.get(f"count {column.name}", 0)
            if self._is_grouped(column):
                table = next(given)
                counts = dict(table.select(column.name, COUNT).drop_nulls(column.name).iter_rows())
                hashes[column.name] = table[_HASH].drop_nulls()
                if _SHAPE in table.columns:
                    shapes[column.name] = dict(table.select(_SHAPE, COUNT).drop_nulls(_SHAPE).iter_rows())
            else:
                truths = values.get(f"true {column.name}") or 0
                counts = {"true": truths, "false": present - truths}
            profiles[column.name] = self._value_profile(column, rows, present, counts)
        hashes |= {column.name: next(given).to_series() for column in self._hashed}
        shapes |= {column.name: dict(next(given).iter_rows()) for column in self._shaped}
        found = next(given).row(0, named=True) if self._measured else {}
        for column in self._measured:
            profiles[column.name] = _number_profile(column, rows, self._edges[column.name], found)
        return Profile(
            rows=rows,
            columns=[
                msgspec.structs.replace(
                    profiles[column.name],
                    registers=self._registers(column, hashes.get(column.name)),
                    counted=self._count(column, hashes.get(column.name)),
                    points=self._sampled.points.get(column.name, []),
                    shapes=kept_shapes(shapes[column.name]) if column.name in shapes else None,
                    times=times_of(column.name, found) if column.name in self._timed else None,
                )
                for column in self._columns
            ],
            hashed_by=f"polars {pl.__version__}",
        )

    def _registers(self, column: Column, hashes: pl.Series | None) -> str:
        if hashes is None:
            return ""
        registers = registers_of(hashes.to_numpy())
        # Of the smallest hashes alone, what a register without any would hold is not known.
        return registers if self._sampled.below.get(column.name) == EVERY or is_full(registers) else ""

    def _count(self, column: Column, hashes: pl.Series | None) -> int | None:
        return len(hashes) if hashes is not None and self._sampled.below.get(column.name) == EVERY else None

    def _value_profile(self, column: Column, rows: int, present: int, counts: Mapping[str, int]) -> ColumnProfile:
        values = self._values.get(column.name, list(counts))
        named = [counts.get(value, 0) for value in values]
        return ColumnProfile(
            name=column.name,
            type=column.type,
            rows=rows,
            missing=rows - present,
            values=values,
            counts=[*named, present - sum(named)],
        )


def _each_row(rows: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """The shapes of texts, of which hardly any comes again: grouping them first would take longer."""
    texts = rows.select(pl.col(name).cast(pl.String).drop_nulls())
    return shape_counts(texts.with_columns(pl.lit(1, pl.UInt32).alias(COUNT)), name)


def _number_profile(column: Column, rows: int, edges: list[float], found: Mapping[str, float]) -> ColumnProfile:
    n = int(found[f"{column.name}\0n"])
    below = [0, *(int(found[f"{column.name}\0{place}"]) for place in range(len(edges))), n]
    return ColumnProfile(
        name=column.name,
        type=column.type,
        rows=rows,
        missing=rows - n,
        mean=found[f"{column.name}\0mean"],
        squares=found[f"{column.name}\0var"] * n if n else None,
        min=found[f"{column.name}\0min"],
        max=found[f"{column.name}\0max"],
        edges=edges,
        counts=[high - low for low, high in pairwise(below)],
    )
