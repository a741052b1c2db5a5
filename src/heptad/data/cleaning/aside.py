"""Sets rows aside by rule: none is lost, and each goes by one rule."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from heptad.data.records import Repair

MARK = "\0"
"""What the names of columns begin with that cleaning adds for its account: they are no part of the table."""
CAME = f"{MARK}came "
"""What the names of columns begin with that keep the text of a column that is read as something else."""
ASIDE = f"{MARK}aside"
"""The column with the rule by which a row is set aside; null: it stays."""


def without_marks(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The rows as the table has them."""
    return rows.select(pl.exclude(rf"^{MARK}.*$"))


class SettingAside:
    """Takes rows out by rule (name to which rows, in marked rows); a row goes by the first rule that wants it.

    As a question, asked of what `rows` made, it counts the rows that each rule took. No row is lost: those that stay
    and those set aside are together as many as came in.
    """

    def __init__(self, rules: Mapping[str, pl.Expr]) -> None:
        self.rules = rules

    def rows(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """All rows, those that go with their rule in the column `ASIDE`."""
        rule = pl.coalesce(
            [
                *(pl.when(wanted).then(pl.lit(name)).otherwise(None) for name, wanted in self.rules.items()),
                pl.lit(None, pl.String),
            ]
        )
        return rows.with_columns(rule.alias(ASIDE))

    def expressions(self) -> Sequence[pl.Expr]:
        return [(pl.col(ASIDE) == name).sum().alias(name) for name in self.rules]

    def plans(self, rows: pl.LazyFrame) -> Sequence[pl.LazyFrame]:
        del rows
        return ()

    def answer(self, values: Mapping[str, Any], tables: Sequence[pl.DataFrame]) -> list[Repair]:
        del tables
        return [Repair(rule=name, rows=values[name]) for name in self.rules if values[name]]


def rows_aside(rows: pl.LazyFrame, beside: Collection[str] = ()) -> pl.LazyFrame:
    """Of marked rows those that go: the `rule`, the `row` as JSON, and its `content`, without the columns `beside`."""
    gone, names = rows.filter(pl.col(ASIDE).is_not_null()), rows.collect_schema().names()
    return gone.select(rule=ASIDE, row=row_content(names), content=row_content(names, beside))


def row_content(names: Collection[str], beside: Collection[str] = ()) -> pl.Expr:
    """Marked rows with these columns as JSON, with unreadable texts as they came, without the columns `beside`."""
    shown = [
        pl.col(f"{CAME}{name}" if f"{CAME}{name}" in names else name).alias(name)
        for name in names
        if not name.startswith(MARK) and name not in beside
    ]
    return pl.struct(shown).struct.json_encode()
