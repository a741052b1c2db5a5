"""Values written otherwise than most of their column."""

import numpy as np
import polars as pl

from heptad.data.cleaning.suggesting import formats
from heptad.data.cleaning.suggesting.cells import codes_of, encode


def counted(*values: tuple[str, int]) -> tuple[pl.Series, np.ndarray]:
    return pl.Series([value for value, _ in values]), np.array([count for _, count in values])


def test_standing_out_grows_with_what_is_usual() -> None:
    """Nine of ten have one trait: the tenth stands out; half and half: none does."""
    assert formats.standing_out(np.array([0, 1]), np.array([9, 1])).tolist() == [0, 0.8]
    assert formats.standing_out(np.array([0, 1]), np.array([5, 5])).max() == 0


def test_another_length_of_the_same_shape_stands_out() -> None:
    """A postal code that lost its zero."""
    found = formats.other_length(np.array([0, 0, 1]), np.array([5, 4, 9]), np.array([90, 10, 50]))
    assert found[1] == 0.8
    assert found[0] == found[2] == 0


def test_thousands_are_grouped_everywhere_or_nowhere() -> None:
    """A number of five digits without commas among such with commas."""
    values, counts = counted(("12,345", 80), ("23456", 20), ("999", 50))
    assert formats.ungrouped(values, counts).round(1).tolist() == [0.2, 0.8, 0]


def test_units_in_changing_spelling_are_all_unusual() -> None:
    """No spelling is usual, so the bare number is what is meant; one spelling throughout is usual."""
    values, counts = counted(("12.0 oz", 30), ("12.0 oz.", 30), ("16 ounce", 30))
    assert formats.units(values, counts).tolist() == [1, 1, 1]
    values, counts = counted(("12 min", 90), ("14 min", 10))
    assert formats.units(values, counts).max() == 0
    values, counts = counted(("0.05", 70), ("0.06%", 30))
    assert formats.units(values, counts).tolist() == [0, 0.7]


def test_letters_around_the_digits_of_codes_are_usual() -> None:
    """Of registrations no spelling is usual, and none is wrong."""
    values, counts = counted(("N14228", 30), ("N619AA", 30), ("N804JB", 30), ("12", 1))
    assert formats.units(values, counts).max() == 0


def test_a_part_that_is_seldom_so_is_rare() -> None:
    """The month stands last in one of a hundred dates."""
    values = pl.Series([f"{1 + n % 12}/3/{80 + n % 20}" for n in range(120)] + ["95/3/4"])
    values = values.unique().sort()
    found = formats.rare_part(
        values, codes_of(pl.Series(["9/9/9"] * len(values))), np.ones(len(values), dtype=np.int64)
    )
    assert found.argmax() == values.to_list().index("95/3/4")


def test_a_text_is_brought_into_the_usual_template() -> None:
    """Digits go to their places, lost zeros come back, dates change their order; the rest is left alone."""
    phones = encode(pl.Series([f"({200 + n}) 555-{1000 + n}" for n in range(20)]))
    template = formats.Templates(phones, phones.counts)
    assert template.fitted("2125551234") == "(212) 555-1234"
    assert template.fitted("(212) 555-1234") is None
    assert template.looks_usual("(212) 555-1234")
    codes = encode(pl.Series([str(10000 + n) for n in range(20)]))
    assert formats.Templates(codes, codes.counts).fitted("2134") == "02134"
    days = encode(pl.Series([f"2020-01-{1 + n:02d}" for n in range(20)]))
    assert formats.Templates(days, days.counts).fitted("3/17/2020") == "2020-03-17"
