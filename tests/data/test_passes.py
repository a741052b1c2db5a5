"""One pass answers every question, and writes the rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from heptad.data.passes import ask


class Total:
    """Asks for the sum of a column."""

    def __init__(self, column: str) -> None:
        self._column = column

    def expressions(self) -> Sequence[pl.Expr]:
        return [pl.col(self._column).sum().alias("total"), pl.len().alias("rows")]

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        del rows
        return ()

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> tuple[Any, Any]:
        assert not tables
        return values["total"], values["rows"]


class Largest:
    """Asks for the groups with the most rows, in two tables."""

    def expressions(self) -> Sequence[pl.Expr]:
        return ()

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        counted = rows.group_by("group").len().sort("len", "group", descending=[True, False])
        return counted.head(1), rows.select(pl.col("group").unique().sort())

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> tuple[str, list[str]]:
        assert not values
        return tables[0]["group"][0], tables[1]["group"].to_list()


@pytest.fixture
def rows() -> pl.LazyFrame:
    return pl.LazyFrame({"group": ["a", "b", "b", "c"], "x": [1, 2, 3, 4], "y": [1.5, 2.5, None, 4.0]})


def test_every_question_gets_its_own_answer(rows: pl.LazyFrame) -> None:
    """Questions that name their aggregates alike do not see each other's."""
    assert ask(rows, Total("x"), Largest(), Total("y")) == [(10, 4), ("b", ["a", "b", "c"]), (8.0, 4)]


def test_rows_are_written_while_questions_are_answered(rows: pl.LazyFrame, tmp_path: Path) -> None:
    """The file holds the very rows that were asked about."""
    path = tmp_path / "rows.parquet"
    assert ask(rows.with_columns(pl.col("x") * 2), Total("x"), into=path) == [(20, 4)]
    assert pl.read_parquet(path)["x"].to_list() == [2, 4, 6, 8]


def test_rows_are_read_once(tmp_path: Path) -> None:
    """However many ask, what makes the rows runs once."""
    runs = []

    def counted(frame: pl.DataFrame) -> pl.DataFrame:
        runs.append(len(frame))
        return frame

    rows = pl.LazyFrame({"group": ["a"] * 10, "x": range(10)}).map_batches(counted, streamable=True)
    ask(rows, Total("x"), Largest(), Total("x"), into=tmp_path / "rows.parquet")
    assert sum(runs) == 10


def test_nothing_asked_reads_nothing(rows: pl.LazyFrame) -> None:
    """Without questions there is no pass."""
    assert ask(rows) == []
