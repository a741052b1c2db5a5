"""What a collection asks of its rows beside what others ask, and how questions of different rows share one pass."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
import polars as pl

from heptad.data.passes import Question

T = TypeVar("T")


class Of(Generic[T]):
    """A question of other rows than those of the pass, made of the same query, so that both are read once."""

    def __init__(self, rows: pl.LazyFrame, question: Question[T]) -> None:
        self._rows = rows
        self._question = question

    def expressions(self) -> Sequence[pl.Expr]:
        return ()

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        del rows
        expressions = list(self._question.expressions())
        plans = list(self._question.plans(self._rows))
        return [*plans, self._rows.select(expressions)] if expressions else plans

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> T:
        del values
        if not self._question.expressions():
            return self._question.answer({}, tables)
        return self._question.answer(tables[-1].row(0, named=True), tables[:-1])


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows there are, how many of them have a label, and from when to when."""

    rows: int
    labelled: int
    first: datetime | None
    last: datetime | None


class Measuring:
    """Asks for the extent of rows."""

    def __init__(self, target: str, time: str) -> None:
        self._target = target
        self._time = time

    def expressions(self) -> Sequence[pl.Expr]:
        times = [pl.col(self._time).min().alias("first"), pl.col(self._time).max().alias("last")] if self._time else []
        return [pl.len().alias("rows"), pl.col(self._target).count().alias("labelled"), *times]

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        del rows
        return ()

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> Extent:
        del tables
        return Extent(
            rows=values["rows"], labelled=values["labelled"], first=values.get("first"), last=values.get("last")
        )
