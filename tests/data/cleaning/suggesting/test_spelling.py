"""Rare values that are nearly a common one."""

import polars as pl

from heptad.data.cleaning.suggesting.cells import encode
from heptad.data.cleaning.suggesting.spelling import misspelt


def test_a_typing_error_is_near_the_value_that_was_meant() -> None:
    """One letter of ten in one cell, against forty cells without."""
    column = encode(pl.Series(["birmingham"] * 40 + ["boston"] * 40 + ["birminghxm"]))
    letters, digits, near = misspelt(column)
    odd = column.values.to_list().index("birminghxm")
    assert letters.argmax() == odd
    assert column.values[int(near[odd])] == "birmingham"
    assert digits.max() == 0


def test_another_number_is_told_from_another_word() -> None:
    """Codes that differ in a digit may both be meant."""
    column = encode(pl.Series(["hf-1"] * 40 + ["hf-2"]))
    letters, digits, _ = misspelt(column)
    assert letters.max() == 0
    assert digits.max() > 0


def test_common_values_that_are_alike_are_both_right() -> None:
    """A value as common as its neighbour is no error of it."""
    letters, digits, near = misspelt(encode(pl.Series(["male"] * 40 + ["female"] * 40)))
    assert letters.max() == digits.max() == 0
    assert (near == -1).all()


def test_a_column_without_common_values_has_no_errors_of_them() -> None:
    """Different everywhere: nothing to compare with."""
    assert misspelt(encode(pl.Series(["one", "two", "three"])))[0].max() == 0
