"""What a rule compiles to: the repair of one column as an expression, which cells it changed, which rows go."""

from collections.abc import Callable
from typing import NamedTuple

import polars as pl

from heptad.data.cleaning.settings import CleanRule
from heptad.data.records import Fitted


def differs(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """Whether a cell is another one than before."""
    return after.ne_missing(before)


def lost(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """The same, cheaper, of a rule that does nothing to cells but empty them."""
    return before.is_not_null() & after.is_null()


def filled(before: pl.Expr, after: pl.Expr) -> pl.Expr:
    """The same of a rule that does nothing but fill cells."""
    return before.is_null() & after.is_not_null()


class Step(NamedTuple):
    """One rule of one column; every part is an expression of the column's values so far."""

    rule: str
    column: str
    repair: Callable[[pl.Expr], pl.Expr]
    changed: Callable[[pl.Expr, pl.Expr], pl.Expr] = differs
    """Of the value before and after: whether the cell counts as repaired."""
    gone: Callable[[pl.Expr], pl.Expr] | None = None
    """Of the value before: whether its row is set aside."""
    refuses: bool = False
    """Whether such a row refuses the version."""
    noted: bool = False
    """Whether such a row stays and is a finding."""
    loses: bool = False
    """Whether cells become missing that it cannot use, which is no repair and counted apart."""
    kind: pl.DataType | None = None
    """The dtype afterwards, where it is another."""
    hides: bool = False
    """Whether the value before is not to be shown, as an example or in an answer."""
    adds: str = ""
    """A column that says of which rows `gone` holds, which then stay."""

    @property
    def name(self) -> str:
        """What the rows that it sets aside are told by."""
        return f"{self.rule} {self.column}"


class Given(NamedTuple):
    """What a rule is compiled of: the column, its dtype where the rule comes, its settings, and what was fitted."""

    column: str
    kind: pl.DataType
    rule: CleanRule
    fitted: Fitted
