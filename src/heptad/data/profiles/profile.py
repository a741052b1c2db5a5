"""What a table looks like in numbers: small, mergeable, and compared instead of the rows."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import polars as pl

from heptad.core.errors import DataError
from heptad.data.columns.dialogues import Asking, Dialogue, Rows, converse
from heptad.data.columns.schema import most_frequent
from heptad.data.passes import ask
from heptad.data.records import Column
from heptad.data.settings import ColumnType

BINS = 10
"""Bins of a number, at the deciles of the reference."""
_BOOLEANS = ["false", "true"]
VALUES = 100
"""Values of a category that are counted by name; the rest is one count."""
SAMPLE = 20_000
"""Deciles come from at most twice as many rows, every n-th one: the bins need to be fixed, not exact."""


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

    def column(self, name: str) -> ColumnProfile | None:
        return next((column for column in self.columns if column.name == name), None)


def profile_frame(rows: Rows, columns: Sequence[Column], reference: Profile | None = None) -> Profile:
    """The profile of `columns` of a table.

    With a reference, its bins and values are used, so that the two can be compared and merged; without
    one, bins lie at the deciles and the most frequent values are counted. A column that the table lacks
    is missing in every row.
    """
    types = rows.lazy().collect_schema()
    edges = infer_edges(rows, columns, reference)
    profile: Profile = ask(rows.lazy(), Profiling(columns, types, edges, reference))[0]
    return profile


def infer_edges(rows: Rows, columns: Sequence[Column], reference: Profile | None) -> dict[str, list[float]]:
    """The inner edges of the bins of every column that is measured: the reference's, or at the deciles."""
    types = rows.lazy().collect_schema()
    measured = [column for column in columns if _is_measured(column)]
    known = {column.name: column.edges for column in reference.columns} if reference else {}
    new = [column for column in measured if column.name not in known]
    measures = {column.name: _measure(types.get(column.name), column) for column in new}
    whole = _sampled(rows, measures) if measures else {}
    sparse = [name for name in measures if name not in whole]
    found = converse(rows, [_deciles(measures[name]) for name in sparse])
    known |= {name: _edges(values) for name, values in whole.items()} | dict(zip(sparse, found, strict=True))
    return {column.name: known[column.name] for column in measured}


def merge(first: Profile, second: Profile) -> Profile:
    """The profile of the rows of both; raises `DataError` where their bins differ.

    Moments are merged as in Chan, Golub and LeVeque (1979), "Updating formulae and a pairwise algorithm for
    computing sample variances".
    """
    others = {column.name: column for column in second.columns}
    if [column.name for column in first.columns] != list(others):
        raise DataError("Two profiles of different columns cannot be merged.", allowed="the same columns in order")
    return Profile(
        rows=first.rows + second.rows,
        columns=[_merge_columns(column, others[column.name]) for column in first.columns],
    )


def _merge_columns(first: ColumnProfile, second: ColumnProfile) -> ColumnProfile:
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
    """Asks for the profile of rows with these types, in bins with these edges, and with the reference's values."""

    def __init__(
        self,
        columns: Sequence[Column],
        types: Mapping[str, pl.DataType],
        edges: Mapping[str, list[float]],
        reference: Profile | None = None,
    ) -> None:
        self._columns = columns
        self._types = types
        self._edges = edges
        self._measured = [column for column in columns if _is_measured(column)]
        self._counted = [column for column in columns if not _is_measured(column)]
        known = {column.name: column.values for column in reference.columns} if reference else {}
        self._values = {column.name: _BOOLEANS for column in self._counted if column.type == "boolean"} | known

    def expressions(self) -> Sequence[pl.Expr]:
        present = (pl.col(column.name).count() for column in self._counted if column.name in self._types)
        return [pl.len().alias("rows"), *(one.name.prefix("count ") for one in present)]

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        counted = [self._counts(rows, column) for column in self._counted if column.name in self._types]
        return [*counted, self._measures(rows)] if self._measured else counted

    def _counts(self, rows: pl.LazyFrame, column: Column) -> pl.LazyFrame:
        """How often each value comes that is counted by name."""
        texts = rows.select(pl.col(column.name).cast(pl.String))
        if column.name not in self._values:
            return most_frequent(texts, column.name, VALUES)
        named = texts.filter(pl.col(column.name).is_in(self._values[column.name]))
        return named.group_by(column.name).agg(pl.len().alias("n"))

    def _measures(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """One row with all that is told of the columns that are measured."""
        measures = {column.name: _measure(self._types.get(column.name), column) for column in self._measured}
        wanted: list[pl.Expr] = []
        for name in measures:
            value = pl.col(name)
            moments = {"n": value.count(), "mean": value.mean(), "var": value.var(ddof=0)}
            wanted += [one.alias(f"{name}\0{key}") for key, one in moments.items()]
            wanted += [value.min().alias(f"{name}\0min"), value.max().alias(f"{name}\0max")]
            # Ten comparisons run faster through SIMD than one binary search a row.
            wanted += [(value <= edge).sum().alias(f"{name}\0{place}") for place, edge in enumerate(self._edges[name])]
        return rows.select(one.alias(name) for name, one in measures.items()).select(wanted)

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> Profile:
        rows = values["rows"]
        given = iter(tables)
        profiles = {}
        for column in self._counted:
            table = next(given) if column.name in self._types else None
            present = values[f"count {column.name}"] if column.name in self._types else 0
            profiles[column.name] = self._value_profile(column, rows, present, table)
        found = next(given).row(0, named=True) if self._measured else {}
        for column in self._measured:
            profiles[column.name] = _number_profile(column, rows, self._edges[column.name], found)
        return Profile(rows=rows, columns=[profiles[column.name] for column in self._columns])

    def _value_profile(self, column: Column, rows: int, present: int, table: pl.DataFrame | None) -> ColumnProfile:
        counts = dict(table.iter_rows()) if table is not None else {}
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


def _is_measured(column: Column) -> bool:
    return column.type not in {"category", "boolean"}


def _measure(kind: pl.DataType | None, column: Column) -> pl.Expr:
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
    return pl.when(number.is_finite()).then(number)


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


def _sampled(rows: Rows, measures: Mapping[str, pl.Expr]) -> dict[str, pl.Series]:
    """Every n-th value of the columns of whose sample none is missing; one pass for all of them."""
    height = int(rows.lazy().select(pl.len()).collect(engine="streaming").item())
    every = rows.lazy().select(one.alias(name) for name, one in measures.items()).gather_every(max(1, height // SAMPLE))
    sample = every.collect(engine="streaming")
    return {one.name: one for one in sample if height and not one.null_count()}


def _deciles(values: pl.Expr) -> Dialogue[list[float]]:
    """Inner edges at the deciles of a column with missing values, of which every n-th would be too few."""
    told = yield Asking({"count": values.count()})
    count = told.values["count"]
    if not count:
        return []
    told = yield Asking(samples={"sample": values.drop_nulls().gather_every(max(1, count // SAMPLE))})
    return _edges(told.samples["sample"])


def _edges(values: pl.Series) -> list[float]:
    """Inner edges at the deciles; a value that holds a tenth of the rows or more gets a bin of its own."""
    cuts = np.quantile(values.to_numpy(), np.arange(1, BINS) / BINS, method="lower")
    edges, times = np.unique(cuts, return_counts=True)
    heavy = edges[times > 1]
    return sorted({*edges.tolist(), *np.nextafter(heavy, -np.inf).tolist()})
