"""Rows made from a profile: like the training rows column by column, and nobody's."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from heptad.data import ColumnProfile, ColumnType, Profile

_TYPES: dict[ColumnType, Any] = {
    "number": pl.Float64,
    "integer": pl.Int64,
    "boolean": pl.Boolean,
    "category": pl.String,
    "text": pl.String,
    "datetime": pl.Datetime("us", "UTC"),
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def generate_rows(profile: Profile, rows: int, seed: int) -> pl.DataFrame:
    """`rows` rows, each column drawn from its own counts and independently of the others.

    A number is drawn evenly from within a bin, a category from the values that are counted by name. Values are missing
    as often as in the profile. Texts are always missing: a profile knows their lengths only. Equal arguments give
    equal rows.
    """
    generator = np.random.default_rng(seed)
    return pl.DataFrame(
        [
            pl.Series(column.name, _values(column, rows, generator), dtype=_TYPES[column.type])
            for column in profile.columns
        ]
    )


def _values(column: ColumnProfile, rows: int, generator: np.random.Generator) -> list[Any]:
    missing = generator.random(rows) < column.missing / max(column.rows, 1)
    drawn = _named(column, rows, generator) if column.values else _numbers(column, rows, generator)
    return [None if gone else value for gone, value in zip(missing, drawn, strict=True)]


def _named(column: ColumnProfile, rows: int, generator: np.random.Generator) -> list[Any]:
    counts = np.array(column.counts[: len(column.values)], dtype=np.float64)
    if not counts.sum():
        return [None] * rows
    chosen = [column.values[one] for one in generator.choice(len(counts), rows, p=counts / counts.sum())]
    return [value == "true" for value in chosen] if column.type == "boolean" else chosen


def _numbers(column: ColumnProfile, rows: int, generator: np.random.Generator) -> list[Any]:
    if column.type in {"text", "category"} or column.min is None or column.max is None:
        return [None] * rows
    counts = np.array(column.counts, dtype=np.float64)
    bins = generator.choice(len(counts), rows, p=counts / counts.sum())
    ends = np.array([column.min, *column.edges, column.max])
    low, high = np.minimum(ends[bins], ends[bins + 1]), ends[bins + 1]
    numbers = low + (high - low) * generator.random(rows)
    if column.type == "integer":
        # Upwards, as a bin holds its upper edge and not its lower one.
        return [int(number) for number in np.clip(np.ceil(numbers), column.min, column.max)]
    if column.type == "datetime":
        return [_EPOCH + timedelta(seconds=round(number)) for number in numbers]
    return [float(number) for number in numbers]
