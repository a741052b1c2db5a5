"""Questions that follow from each other's answers, for many columns in a few passes over the rows."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import msgspec
import polars as pl
import polars.selectors as cs

T = TypeVar("T")
Rows: TypeAlias = pl.DataFrame | pl.LazyFrame
"""A table in memory, or one that may be larger; the answers are the same."""
FIRST = 1_000
"""Rows by which it is told how large a table is."""
_PLACE = "\0place"


class Asking(msgspec.Struct, frozen=True):
    """What one wants to know next: single values, and short samples of one column or of several.

    Each grows with the answer and not with the rows, and works in parts, as for a `passes.Question`.
    """

    values: Mapping[str, pl.Expr] = {}
    samples: Mapping[str, pl.Expr] = {}
    tables: Mapping[str, Callable[[pl.LazyFrame], pl.LazyFrame]] = {}


class Told(msgspec.Struct, frozen=True):
    """The answers, by the names that were asked for."""

    values: Mapping[str, Any]
    samples: Mapping[str, pl.Series]
    tables: Mapping[str, pl.DataFrame]


Dialogue: TypeAlias = Generator[Asking, Told, T]
"""Asks, is told, asks again, and returns what it came to."""


def converse(rows: Rows, dialogues: Sequence[Dialogue[T]]) -> list[T]:
    """What each dialogue comes to, in order; all values that several of them ask at one time take one pass."""
    found: dict[int, T] = {}
    told: dict[int, Told | None] = dict.fromkeys(range(len(dialogues)))
    while told:
        asking: dict[int, Asking] = {}
        for place, answer in told.items():
            try:
                asking[place] = next(dialogues[place]) if answer is None else dialogues[place].send(answer)
            except StopIteration as done:
                found[place] = done.value
        told = dict(zip(asking, _answers(rows, list(asking.values())), strict=True))
    return [found[place] for place in range(len(dialogues))]


def every_nth(rows: Rows, step: int) -> pl.LazyFrame:
    """Each `step`-th row, from the first on; every one, where that is 0.

    Of rows that are read in parts `gather_every` would have all first: told to hold little, it spilled every row to
    disk, and took 30 times as long.
    """
    step = max(1, step)
    if isinstance(rows, pl.DataFrame):
        return rows.gather_every(step).lazy()
    return rows.with_row_index(_PLACE).filter(pl.col(_PLACE) % step == 0).drop(_PLACE)


def sampled(values: pl.Expr, count: int, most: int) -> Dialogue[pl.Series]:
    """Of `count` values that are there every n-th one: `most`, or up to twice as many."""
    told = yield Asking(tables={"sample": lambda rows: every_nth(rows.select(values.drop_nulls()), count // most)})
    return told.tables["sample"].to_series()


def size_of(rows: pl.LazyFrame) -> tuple[int, float]:
    """How many rows there are, and about how many bytes each takes, by the first of them."""
    first, height = (one.collect(engine="streaming") for one in (rows.head(FIRST), rows.select(pl.len())))
    return height.item(), first.estimated_size() / max(1, len(first))


def held(rows: pl.LazyFrame, most: int) -> Rows:
    """The rows in memory, where they take at most so many bytes: what is looked at often is read once."""
    height, each = size_of(rows)
    return rows.collect(engine="streaming") if height * each <= most else rows


def made(rows: Rows) -> pl.DataFrame:
    """The rows in memory, which are few of those that have to be read for them."""
    if isinstance(rows, pl.DataFrame):
        return rows
    # A text that is sampled keeps all the memory that it was read into, until it is copied.
    return rows.with_columns(cs.string() + "").collect(engine="streaming")


def _answers(rows: Rows, asked: Sequence[Asking]) -> list[Told]:
    lazy = rows.lazy()
    values = [one.alias(f"{place}\0{name}") for place, part in enumerate(asked) for name, one in part.values.items()]
    given = iter(made(rows.select(values)).row(0) if values else ())
    # Samples are taken one by one: queries that share a pass wait for each other and pile up what they read.
    return [
        Told(
            {name: next(given) for name in part.values},
            {name: made(rows.select(one.alias(name))).to_series() for name, one in part.samples.items()},
            {name: made(make(lazy)) for name, make in part.tables.items()},
        )
        for part in asked
    ]
