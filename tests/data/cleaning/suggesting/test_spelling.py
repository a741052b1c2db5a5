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


def test_other_digits_in_the_same_places_are_another_thing() -> None:
    """And a letter in the place of a digit is a slip."""
    column = encode(pl.Series(["hf-1"] * 40 + ["hf-2", "hf-x"]))
    letters, digits, _ = misspelt(column)
    evidence = dict(zip(column.values.to_list(), digits.tolist(), strict=True))
    assert letters.max() == evidence["hf-2"] == 0
    assert evidence["hf-x"] > 0


def test_more_letters_than_slip_are_another_value() -> None:
    """Three of eighteen: no slip of the finger, though the values are much alike."""
    letters, _, near = misspelt(encode(pl.Series(["Married-civ-spouse"] * 900 + ["Married-AF-spouse"])))
    assert letters.max() == 0
    assert (near == -1).all()


def test_where_common_values_are_alike_to_be_nearly_one_says_little() -> None:
    """Of names that differ in a letter and are all common, another one is likely right too."""
    alike = [f"Ann{letter}" for letter in "aeiou"]
    apart = ["Maria", "Sebastian", "Joe", "Katharina", "Li"]
    column = encode(pl.Series([name for name in alike for _ in range(30)] + ["Anny"]))
    assert misspelt(column)[0].max() == 0
    column = encode(pl.Series([name for name in apart for _ in range(30)] + ["Mariy"]))
    assert misspelt(column)[0].max() > 1


def test_common_values_that_are_alike_are_both_right() -> None:
    """A value as common as its neighbour is no error of it."""
    letters, digits, near = misspelt(encode(pl.Series(["male"] * 40 + ["female"] * 40)))
    assert letters.max() == digits.max() == 0
    assert (near == -1).all()


def test_a_column_without_common_values_has_no_errors_of_them() -> None:
    """Different everywhere: nothing to compare with."""
    assert misspelt(encode(pl.Series(["one", "two", "three"])))[0].max() == 0
