"""One pass over rows for all who ask something of them, while the rows are written too."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import polars as pl

T_co = TypeVar("T_co", covariant=True)


class Question(Protocol[T_co]):
    """Something to be told of rows without holding them: aggregates, and small tables where those are not enough.

    Promised to it: both are taken of the same rows, in whatever order, in the same pass as everybody else's. Asked of
    it: what comes back grows with the answer and not with the rows, and what it is made of works in parts and spills
    (`sum`, `min`, `group_by`, `unique`, not `over`, `median` or `is_duplicated`), since rows may not fit into memory.
    """

    def expressions(self) -> Sequence[pl.Expr]:
        """Aggregates, each with a name of its own among them and one value."""
        ...

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        """Queries over the rows with few rows each."""
        ...

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> T_co:
        """The answer out of the aggregates by name, and the results of the plans in order."""
        ...


def ask(rows: pl.LazyFrame, *questions: Question[Any], into: Path | None = None) -> list[Any]:
    """The answers to questions about the rows, in order; `into`: the Parquet file that the rows go to meanwhile."""
    wanted = [
        expression.alias(f"{place}\0{expression.meta.output_name()}")
        for place, question in enumerate(questions)
        for expression in question.expressions()
    ]
    plans = [list(question.plans(rows)) for question in questions]
    queries = [plan for part in plans for plan in part]
    if wanted:
        queries.append(rows.select(wanted))
    if into is not None:
        queries.append(rows.sink_parquet(into, lazy=True))
    found = pl.collect_all(queries, engine="streaming") if queries else []
    values = found[sum(map(len, plans))].row(0, named=True) if wanted else {}
    tables = iter(found)
    return [
        question.answer(
            {name.partition("\0")[2]: value for name, value in values.items() if name.startswith(f"{place}\0")},
            [next(tables) for _ in part],
        )
        for place, (question, part) in enumerate(zip(questions, plans, strict=True))
    ]


def ask_in_turn(rows: pl.LazyFrame, *questions: Question[Any]) -> list[Any]:
    """The answers to questions about rows in files, each query by itself.

    There it costs less to read some columns twice than to share a pass: queries that do wait for each other, and
    what they have not looked at yet piles up in memory, then on disk.
    """
    answers = []
    for question in questions:
        expressions, plans = list(question.expressions()), question.plans(rows)
        values = rows.select(expressions).collect(engine="streaming").row(0, named=True) if expressions else {}
        answers.append(question.answer(values, [plan.collect(engine="streaming") for plan in plans]))
    return answers
