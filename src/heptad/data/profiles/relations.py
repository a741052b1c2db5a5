"""How pairs of numbers go together: one pass over the rows for all of them."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import msgspec
import polars as pl

MOST = 30
"""Columns whose pairs are looked at; the first ones."""


class Relation(msgspec.Struct, frozen=True, kw_only=True):
    """The linear correlation (Pearson) of two columns over the rows that have both, from -1 to 1."""

    first: str
    second: str
    correlation: float


class Relations:
    """Asks for the correlations of all pairs of some columns of numbers, the strongest first."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._pairs = list(combinations(columns[:MOST], 2))

    def expressions(self) -> Sequence[pl.Expr]:
        return [
            pl.corr(*(pl.col(name).cast(pl.Float64) for name in pair)).alias(f"pair {place}")
            for place, pair in enumerate(self._pairs)
        ]

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        del rows
        return ()

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> list[Relation]:
        del tables
        found = [
            Relation(first=first, second=second, correlation=value)
            for (first, second), value in zip(self._pairs, values.values(), strict=True)
            if value is not None and value == value  # noqa: PLR0124 - NaN: one of the two is constant
        ]
        return sorted(found, key=lambda one: -abs(one.correlation))
