"""Spellings of one value that differ in blanks, case or signs only."""

import polars as pl

from heptad.data.cleaning.suggesting.cells import encode
from heptad.data.cleaning.suggesting.variants import variants


def test_the_rarer_spelling_is_a_variant_of_the_commoner() -> None:
    """Case, blanks and full stops do not make another value."""
    column = encode(pl.Series(["St. Louis"] * 20 + ["ST LOUIS", "St.  Louis", "Boston"]))
    found, sister = variants(column)
    values = column.values.to_list()
    for odd in ("ST LOUIS", "St.  Louis"):
        assert found[values.index(odd)] > 1
        assert values[sister[values.index(odd)]] == "St. Louis"
    for plain in ("St. Louis", "Boston"):
        assert found[values.index(plain)] == 0
        assert sister[values.index(plain)] == -1


def test_signs_that_carry_meaning_are_no_variants() -> None:
    """More and less are not the same; 1.5 and 15 are not either."""
    assert variants(encode(pl.Series(["<=50K"] * 9 + [">50K"])))[0].max() == 0
    assert variants(encode(pl.Series(["15"] * 9 + ["1.5"])))[0].max() == 0
