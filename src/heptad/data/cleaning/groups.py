"""Rules that look at other columns: values that a group of rows agrees on, and what stands in for a missing value."""

from collections.abc import Sequence

import polars as pl

from heptad.data.cleaning.settings import CleanRule
from heptad.data.cleaning.steps import Given, Step, filled
from heptad.data.columns.dialogues import Asking, Dialogue
from heptad.data.columns.lookups import look_up

MOST_GROUPS = 10_000
"""So many groups, those of the most rows, are kept for requests, besides those that disagree."""
_BETWEEN = "\x1f"
_GROUP, _VALUE, _ROWS = "\0group", "\0value", "\0rows"


def group_text(columns: Sequence[str]) -> pl.Expr:
    """A row's group as one text; null where one of the columns is missing."""
    return pl.concat_str([pl.col(name).cast(pl.String) for name in columns], separator=_BETWEEN)


def told_by(given: Given) -> Step:
    """The value that the group agrees on; without an agreement the value stays."""
    votes = given.fitted.votes.get(given.column, {})
    if not votes:
        return Step("told_by", given.column, lambda value: value)
    group = group_text(given.rule.told_by)

    def voted(value: pl.Expr) -> pl.Expr:
        winner = look_up(group, votes, pl.String())
        return pl.coalesce(winner.cast(given.kind), value)

    return Step("told_by", given.column, voted)


def fit_votes(column: str, rule: CleanRule) -> Dialogue[tuple[dict[str, str], int]]:
    """The value that at least a share of a group's rows has, by group, and how many groups that disagree have none.

    A value must have more rows than any other; missing values have no vote.
    """
    told_value = pl.col(_VALUE).is_not_null()

    def decided(rows: pl.LazyFrame) -> pl.LazyFrame:
        values = rows.select(group_text(rule.told_by).alias(_GROUP), pl.col(column).cast(pl.String).alias(_VALUE))
        counted = values.drop_nulls(_GROUP).group_by(_GROUP, _VALUE).agg(pl.len().cast(pl.Int64).alias(_ROWS))
        votes = pl.col(_ROWS).filter(told_value)
        groups = counted.group_by(_GROUP).agg(
            pl.col(_VALUE).filter(told_value).sort_by(votes, descending=True).first(),
            votes.max().alias("most"),
            votes.sum().alias("all"),
            votes.len().alias("different"),
            (votes == votes.max()).sum().alias("tied"),
            pl.len().alias("kinds"),
        )
        sure = (pl.col("tied") == 1) & (pl.col("most") >= rule.least * pl.col("all"))
        # Of a group that agrees in a value and in nothing else there is nothing to repair.
        return groups.with_columns(sure.alias("sure"), (pl.col("kinds") > 1).alias("mixed"))

    def wanted(rows: pl.LazyFrame) -> pl.LazyFrame:
        return decided(rows).filter("sure", "mixed").select(_GROUP, _VALUE)

    def largest(rows: pl.LazyFrame) -> pl.LazyFrame:
        agreed = decided(rows).filter("sure", ~pl.col("mixed"))
        return agreed.sort(["all", _GROUP], descending=[True, False]).head(MOST_GROUPS).select(_GROUP, _VALUE)

    def unsure(rows: pl.LazyFrame) -> pl.LazyFrame:
        return decided(rows).select((~pl.col("sure") & (pl.col("different") > 1)).sum())

    told = yield Asking(tables={"wanted": wanted, "largest": largest, "unsure": unsure})
    found = pl.concat([told.tables["wanted"], told.tables["largest"]]).sort(_GROUP)
    return dict(found.iter_rows()), int(told.tables["unsure"].item() or 0)


def fill(given: Given) -> Step:
    constant = pl.lit(given.rule.fill).cast(given.kind)
    return Step("fill", given.column, lambda value: value.fill_null(constant), filled)


def fill_from(given: Given) -> Step:
    other = pl.col(given.rule.fill_from)
    return Step("fill_from", given.column, lambda value: value.fill_null(other.cast(given.kind, strict=False)), filled)
