"""What a table looks like in numbers: small, mergeable, and compared instead of the rows."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import msgspec
import numpy as np
import polars as pl

from heptad.core.errors import DataError
from heptad.data.records import Column
from heptad.data.settings import ColumnType

BINS = 10
"""Bins of a number, at the deciles of the reference."""
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


def profile_frame(frame: pl.DataFrame, columns: Sequence[Column], reference: Profile | None = None) -> Profile:
    """The profile of `columns` of a frame, one pass over it.

    With a reference, its bins and values are used, so that the two can be compared and merged; without
    one, bins lie at the deciles and the most frequent values are counted. A column that the frame lacks
    is missing in every row.
    """
    known = {column.name: column for column in reference.columns} if reference else {}
    absent = [column.name for column in columns if column.name not in frame.columns]
    frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
    measured = [column for column in columns if column.type not in {"category", "boolean"}]
    numbers = _profile_numbers(frame, measured, known)
    return Profile(
        rows=frame.height,
        columns=[
            numbers[column.name] if column.name in numbers else _profile_values(frame, column, known.get(column.name))
            for column in columns
        ],
    )


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


def _measure(frame: pl.DataFrame, column: Column) -> pl.Expr:
    """What is counted of a column, as a float; null where there is nothing to count."""
    value, kind = pl.col(column.name), frame.schema[column.name]
    if column.type == "text":
        return value.cast(pl.String).str.len_chars().cast(pl.Float64)
    if column.type == "datetime":
        if kind == pl.String:
            value = value.str.to_datetime(time_zone="UTC", strict=False)
        return value.cast(pl.Datetime("us", "UTC")).dt.epoch("us").cast(pl.Float64) / 1e6
    number = value.cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def _profile_numbers(
    frame: pl.DataFrame, columns: Sequence[Column], known: Mapping[str, ColumnProfile]
) -> dict[str, ColumnProfile]:
    if not columns:
        return {}
    measured = frame.select(_measure(frame, column).alias(column.name) for column in columns)
    edges = {
        column.name: known[column.name].edges if column.name in known else _deciles(measured[column.name])
        for column in columns
    }
    wanted: list[pl.Expr] = []
    for name in measured.columns:
        value = pl.col(name)
        moments = {"n": value.count(), "mean": value.mean(), "var": value.var(ddof=0)}
        wanted += [one.alias(f"{name}\0{key}") for key, one in moments.items()]
        wanted += [value.min().alias(f"{name}\0min"), value.max().alias(f"{name}\0max")]
        # Ten comparisons run faster through SIMD than one binary search a row.
        wanted += [(value <= edge).sum().alias(f"{name}\0{place}") for place, edge in enumerate(edges[name])]
    found = measured.lazy().select(wanted).collect().row(0, named=True)
    return {column.name: _number_profile(column, frame.height, edges[column.name], found) for column in columns}


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


def _deciles(values: pl.Series) -> list[float]:
    """Inner edges at the deciles; a value that holds a tenth of the rows or more gets a bin of its own."""
    present = values.drop_nulls()
    if present.is_empty():
        return []
    sample = present.gather_every(max(1, present.len() // SAMPLE)).to_numpy()
    cuts = np.quantile(sample, np.arange(1, BINS) / BINS, method="lower")
    edges, times = np.unique(cuts, return_counts=True)
    heavy = edges[times > 1]
    return sorted({*edges.tolist(), *np.nextafter(heavy, -np.inf).tolist()})


def _profile_values(frame: pl.DataFrame, column: Column, known: ColumnProfile | None) -> ColumnProfile:
    texts = frame[column.name].cast(pl.String)
    missing = texts.null_count()
    counted = texts.drop_nulls().value_counts(name="n").sort(["n", column.name], descending=[True, False])
    counts = dict(zip(counted[column.name].to_list(), counted["n"].to_list(), strict=True))
    if known is not None:
        values = known.values
    elif column.type == "boolean":
        values = ["false", "true"]
    else:
        values = list(counts)[:VALUES]
    named = [counts.get(value, 0) for value in values]
    return ColumnProfile(
        name=column.name,
        type=column.type,
        rows=frame.height,
        missing=missing,
        values=values,
        counts=[*named, frame.height - missing - sum(named)],
    )
