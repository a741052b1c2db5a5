"""Measures how well people hide among each other: k-anonymity and distinct l-diversity.

Rows that are equal in the columns by which somebody could be recognised (quasi-identifiers) are a class. A table is
k-anonymous where each class has k rows or more (Sweeney 2002, "k-anonymity: a model for protecting privacy"), and
l-diverse where each has l different values of the sensitive column (Machanavajjhala et al. 2007, "l-diversity").
"""

from collections.abc import Sequence

import msgspec
import polars as pl

from heptad.core.errors import InputError, nearest
from heptad.data.columns.schema import named_columns

ROWS, DIFFERENT = "\0rows", "\0different"
"""Columns of classes: their rows, and their different sensitive values."""


class Anonymity(msgspec.Struct, frozen=True, kw_only=True):
    """How a table stands. `k` and `l` are those of its weakest class; `l` is `None` without a sensitive column."""

    rows: int
    classes: int
    k: int
    l: int | None  # noqa: E741 - it is what the literature calls it
    alone: int
    """Rows that are a class by themselves: whoever knows these columns knows who it is."""
    risk: float
    """The chance to pick the right row for a person whose columns are known, on average over the rows."""


def measure_anonymity(rows: pl.LazyFrame, quasi: Sequence[str], sensitive: str = "") -> Anonymity:
    """How people hide among each other by the columns `quasi`, in one grouping.

    A missing value is a value by which somebody is recognised, but none that can be learnt: `l` does not count it.
    """
    check_columns(rows, quasi, sensitive)
    found = classes_of(rows, quasi, sensitive).select(
        pl.col(ROWS).sum().alias("rows"),
        pl.len().alias("classes"),
        pl.col(ROWS).min().alias("k"),
        pl.col(DIFFERENT).min().alias("l"),
        pl.col(ROWS).filter(pl.col(ROWS) == 1).sum().alias("alone"),
    )
    told = found.collect(engine="streaming").row(0, named=True)
    count = told["rows"] or 0
    return Anonymity(
        rows=count,
        classes=told["classes"],
        k=told["k"] or 0,
        l=(told["l"] or 0) if sensitive else None,
        alone=told["alone"] or 0,
        risk=told["classes"] / count if count else 0.0,
    )


def classes_of(rows: pl.LazyFrame, quasi: Sequence[str], sensitive: str = "") -> pl.LazyFrame:
    """One row a class: the columns, `ROWS` and `DIFFERENT`."""
    counted = different(sensitive) if sensitive else pl.lit(0)
    return rows.group_by(quasi).agg(pl.len().alias(ROWS), counted.alias(DIFFERENT))


def different(sensitive: str) -> pl.Expr:
    """How many values there are: of X, missing and X, whoever is in the class likely has X."""
    return pl.col(sensitive).drop_nulls().n_unique()


def check_columns(rows: pl.LazyFrame, quasi: Sequence[str], sensitive: str) -> None:
    """Raises `InputError` for a column that there is not, that is named twice, or on both sides."""
    known = rows.collect_schema().names()
    if not quasi:
        raise InputError("No column is named by which people could be recognised.", allowed="--quasi COLUMN,COLUMN")
    for column in [*quasi, *([sensitive] if sensitive else [])]:
        if column not in known:
            raise InputError(f"There is no column {column!r}.", allowed=nearest(column, named_columns(known)))
    repeated = [column for place, column in enumerate(quasi) if column in quasi[:place]]
    if repeated:
        raise InputError(f"The column {repeated[0]!r} is named twice.", allowed="each once")
    if sensitive in quasi:
        raise InputError(
            f"{sensitive} is named on both sides.", allowed="what is known of a person, or what is not to be"
        )
