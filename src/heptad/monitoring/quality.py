"""What is wrong with the inputs of a window: missing, never seen before, or outside of what training knew."""

import polars as pl

from heptad.data import Profile
from heptad.monitoring.records import ColumnQuality
from heptad.training import Input


def quality(inputs: pl.DataFrame, signature: list[Input], reference: Profile, window: Profile) -> list[ColumnQuality]:
    """One entry for each input of a model, in its order; shares are of all rows of the window.

    Unseen is a category that training did not see, outside range a number below the smallest or above the largest
    of training. Both are counted on the rows, in one query, the missing values come from the profiles.
    """
    if inputs.is_empty() or not signature:
        return []
    counted = inputs.select(
        expression.alias(f"{column.name}\0{what}")
        for column in signature
        for what, expression in (("unseen", _unseen(column)), ("outside", _outside(column, reference)))
    ).row(0, named=True)
    return [
        ColumnQuality(
            column=column.name,
            missing=_missing(window, column.name),
            missing_at_reference=_missing(reference, column.name),
            unseen=counted[f"{column.name}\0unseen"] / inputs.height,
            outside_range=counted[f"{column.name}\0outside"] / inputs.height,
        )
        for column in signature
    ]


def _unseen(column: Input) -> pl.Expr:
    if column.type != "category" or column.categories is None:
        return pl.lit(0)
    value = pl.col(column.name)
    return (value.is_not_null() & ~value.cast(pl.String).is_in(column.categories)).sum()


def _outside(column: Input, reference: Profile) -> pl.Expr:
    known = reference.column(column.name)
    if column.type not in {"number", "integer"} or known is None or known.min is None or known.max is None:
        return pl.lit(0)
    value = pl.col(column.name).cast(pl.Float64, strict=False)
    return (value.is_finite() & ~value.is_between(known.min, known.max)).sum()


def _missing(profile: Profile, name: str) -> float:
    column = profile.column(name)
    return column.missing / column.rows if column and column.rows else 0.0
