"""Marks for nothing in the type of their column; the rules are tested in the table of test_kinds."""

import polars as pl

from heptad.data import CleanRule
from heptad.data.cleaning.texts import marks_of


def test_marks_are_of_the_type_of_the_column() -> None:
    """A number is a text among texts; a text cannot stand among numbers."""
    rule = CleanRule(missing=["?", 999.0, -1.5])
    assert marks_of(rule, pl.String()) == ["?", "999", "-1.5"]
    assert marks_of(rule, pl.Int64()) == [999.0, -1.5]
