"""The shapes of values."""

import polars as pl
import pytest

from heptad.data.cleaning.suggesting import shapes

TEXTS = ["John Smith", "12.0 oz.", "7:10 a.m.", "al_scip-inf-2", "", "Zoë  O'Neill", "HTML5"]


@pytest.mark.parametrize(
    ("text", "coarse", "cased"),
    [
        ("John Smith", "w", "1"),
        ("john smith", "w", "2"),
        ("12.0 oz.", "9.9 w.", "9.9 2."),
        ("7:10 a.m.", "9:9 w.w.", "9:9 2.2."),
        ("NY 10001", "w 9", "3 9"),
    ],
)
def test_runs_become_one_sign(text: str, coarse: str, cased: str) -> None:
    """Letters, digits and blanks in a row are one sign each; case counts in the second."""
    assert shapes.coarse(pl.Series([text])).item() == coarse
    assert shapes.cased(pl.Series([text])).item() == cased


def test_the_fine_shape_keeps_every_place() -> None:
    """Of one text it is the same as of a column."""
    assert shapes.fine(pl.Series(TEXTS)).to_list() == [shapes.fine_text(text) for text in TEXTS]
    assert shapes.fine_text("Ab-12") == "Aa-99"


def test_symbols_are_what_is_neither_letter_nor_digit() -> None:
    """Each once, blanks only where there are two."""
    assert shapes.symbols(pl.Series(["a-b_c-d", "12.0 oz."])).to_list() == ["-_", "."]
